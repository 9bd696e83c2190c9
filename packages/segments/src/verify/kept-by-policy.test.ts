import { expect, test } from 'vitest';
import type { XfrmState } from '../state/node-state.ts';
import { keptByPolicy } from './kept-by-policy.ts';

type Policy = XfrmState['policies'][number];

const own = '192.0.2.1';
const peer: Policy = {
  direction: 'in',
  priority: 100,
  source: '192.0.2.2/32',
  destination: `${own}/32`,
  protocol: 'udp',
  destinationPort: 4789,
  action: 'allow',
  level: 'required',
};
const block: Policy = {
  ...peer,
  priority: 1000,
  source: '0.0.0.0/0',
  destination: '0.0.0.0/0',
  action: 'block',
  level: 'use',
};
const plain: Policy = { ...peer, priority: 500, source: '192.0.2.3/32', level: 'use' };

test.each<[string, readonly Policy[], string | undefined, boolean]>([
  ['a peer that has to use ESP', [peer], '192.0.2.2', true],
  ['another, without a policy', [peer], '192.0.2.9', false],
  ['a stranger, without a block', [peer], undefined, false],
  ['a stranger, blocked', [peer, block], undefined, true],
  ['a peer in the clear, who is let through', [block, plain], '192.0.2.3', false],
  ['a stranger beside one who is let through', [block, plain], undefined, true],
  ['the way out says nothing', [{ ...block, direction: 'out' }], undefined, false],
  ['a condition that may not hold', [{ ...block, conditional: true }], undefined, false],
  ['another port', [{ ...block, destinationPort: 4790 }], undefined, false],
  [
    'a stranger of a prefix that is let through',
    [block, { ...plain, source: '10.0.0.0/8' }],
    undefined,
    false,
  ],
  [
    'one who is let through first',
    [{ ...peer, priority: 1, level: 'use' }, peer],
    '192.0.2.2',
    false,
  ],
])('%s', (_, policies, source, kept) => {
  expect(keptByPolicy({ associations: [], policies }, { source, local: own, port: 4789 })).toBe(
    kept,
  );
});
