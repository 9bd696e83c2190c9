import { readFileSync } from 'node:fs';
import { haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import {
  type NodeOutputs,
  type NodeState,
  observeNode,
} from '../../packages/segments/src/index.ts';
import { networkUnavailable } from './support/network-unavailable.ts';
import { buildExampleNode } from './support/example-node.ts';
import { openNamespace } from './support/open-namespace.ts';
import { readOutputs } from './support/read-outputs.ts';

const unavailable = networkUnavailable(haveProgram);

describe.skipIf(unavailable !== undefined)(`reading a node ${unavailable ?? ''}`, () => {
  test('gives what the recorded outputs give, by the programs and the kernel of here', () => {
    using node = openNamespace('observe');
    buildExampleNode(node);
    const recorded = JSON.parse(
      readFileSync(
        new URL('../../packages/segments/src/observe/fixtures/debian-12.json', import.meta.url),
        'utf8',
      ),
    ) as NodeOutputs;
    expect(comparable(observeNode(readOutputs(node)))).toEqual(comparable(observeNode(recorded)));
  });
});

/** Without what the kernel draws or orders by chance: MACs, link-local addresses, hashes of FDBs. */
function comparable(state: NodeState): unknown {
  return {
    ...state,
    links: state.links.map((link) => ({ ...link, mac: '' })),
    addresses: state.addresses.filter((entry) => !entry.address.startsWith('fe80:')),
    fdb: state.fdb.map((entry) => JSON.stringify(entry)).toSorted(),
    xfrm: { policies: state.xfrm.policies.map((entry) => JSON.stringify(entry)).toSorted() },
  };
}
