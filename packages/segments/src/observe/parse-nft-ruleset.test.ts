import { expect, test } from 'vitest';
import { parseNftRuleset } from './parse-nft-ruleset.ts';

const element = { elem: { val: { concat: ['tv7000', 2] }, counter: { packets: 1, bytes: 60 } } };
const update = { set: { op: 'update', elem: { meta: { key: 'iifname' } }, set: '@policy_drops' } };

function listed(statements: readonly unknown[], table = 'tapline'): string {
  const at = { family: 'bridge', table };
  return JSON.stringify({
    nftables: [
      { table: { family: 'bridge', name: table } },
      {
        set: { ...at, name: 'policy_drops', type: ['ifname'], flags: ['dynamic'], elem: [element] },
      },
      { chain: { ...at, name: 'c' } },
      { rule: { ...at, chain: 'c', expr: statements } },
    ],
  });
}

test('what rules have counted is no part of a ruleset: it is another with each frame', () => {
  const [table] = parseNftRuleset(listed([update])).tables;
  expect(table?.sets).toMatchObject([{ name: 'policy_drops', flags: [], elements: [] }]);
});

test('a set that a rule looks something up in decides, whatever it is called', () => {
  const match = { match: { op: '==', left: { meta: { key: 'iifname' } }, right: '@policy_drops' } };
  const [table] = parseNftRuleset(listed([update, match])).tables;
  expect(table?.sets).toMatchObject([{ flags: ['dynamic'], elements: [element] }]);
  const [other] = parseNftRuleset(listed([update], 'others')).tables;
  expect(other?.sets).toMatchObject([{ elements: [element] }]);
});
