import { readFileSync } from 'node:fs';
import { type Reading, startHelper } from '@tapline/fabric';
import { haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import {
  type NodeOutputs,
  type NodeState,
  observationCommands,
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

  test('in few processes it is the same as by a command for each', async () => {
    using node = openNamespace('together');
    buildExampleNode(node);
    await using helper = startHelper({ prefix: ['ip', 'netns', 'exec', node.name] });
    const what = [...Object.keys(observationCommands), 'filters', 'statistics', 'counters'];
    const together = await helper.read(what as Reading[]);
    // One list serves three readings, and the ruleset has the counters.
    expect(together.links).toBe(together.addresses);
    expect(together.links).toBe(together.statistics);
    expect(together.nft).toBe(together.counters);
    expect(observeNode(together as unknown as NodeOutputs)).toEqual(observeNode(readOutputs(node)));
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
