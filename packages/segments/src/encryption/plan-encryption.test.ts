import { expect, test } from 'vitest';
import type { FabricIntent } from '../intent/segment-intent.ts';
import { ipsecCommand } from './ipsec-command.ts';
import { ipsecSpi } from './ipsec-numbers.ts';
import type { IpsecOperation } from './ipsec-operation.ts';
import { rotationPhases, steadyPhase } from './key-phase.ts';
import { shownKey } from './key-reference.ts';
import { macsecCommand } from './macsec-command.ts';
import { ipsecIntent, planIpsec } from './plan-ipsec.ts';
import { planMacsec } from './plan-macsec.ts';

const nodes = [1, 2, 3].map((number) => ({
  name: `n${number}`,
  vtep: `10.99.0.${number}`,
  underlay: `192.0.2.${number}`,
}));

function intentOf(underlays: readonly ('none' | 'ipsec')[]): FabricIntent {
  return {
    vxlanPort: 4789,
    nodes,
    segments: underlays.map((underlay, number) => ({
      name: `s${number}`,
      vni: 7000 + number,
      subnet: `10.${number}.0.0/24`,
      mtu: 1400,
      encryption: { underlay, link: 'none' },
      communities: {},
      ports: ['n1', 'n2'].map((node, index) => ({
        node,
        index: index + 1,
        incarnation: 1,
        owner: 'w',
        addresses: [`10.${number}.0.${index + 1}`],
        role: { kind: 'promiscuous' },
        attach: { kind: 'host' },
      })),
    })),
  };
}

const wanted = (epoch: number) =>
  ipsecIntent(intentOf(['ipsec']), { node: 'n1', phase: steadyPhase(epoch) });

function lines(operations: readonly IpsecOperation[]): readonly string[] {
  return operations.map((operation) => ipsecCommand(operation, shownKey).line);
}

test('what drops plaintext comes first, then keys, then policies; no key is in a plan', () => {
  const plan = planIpsec(undefined, wanted(0));
  expect(plan.map(({ kind }) => kind)).toEqual([
    'guard-install',
    'block-set',
    'association-add',
    'association-add',
    'policy-set',
    'policy-set',
  ]);
  const text = lines(plan).join('\n');
  expect(text).toContain('meta ipsec missing counter drop');
  expect(text).toContain('rt ipsec missing counter drop');
  expect(text).toContain('elements = { 7000 }');
  expect(text).toContain('0x<esp key 0 of n1 for n2> 128');
  expect(text).toContain('level required');
  expect(text).toContain('action block priority 1000');
  // Only who shares the segment.
  expect(text).not.toContain('192.0.2.3');
});

test('nothing is blocked by port where a segment asked for plaintext; its VNI is guarded all the same', () => {
  const mixed = ipsecIntent(intentOf(['none', 'ipsec']), { node: 'n1', phase: steadyPhase(0) });
  const plan = planIpsec(undefined, mixed);
  expect(plan.some(({ kind }) => kind === 'block-set')).toBe(false);
  expect(lines(plan).join('\n')).toContain('elements = { 7001 }');
  const none = ipsecIntent(intentOf(['none']), { node: 'n1', phase: steadyPhase(0) });
  expect(none).toBeUndefined();
});

test('a rotation adds before it switches, and deletes last; policies are replaced in place', () => {
  const [first, second, third] = rotationPhases(4);
  if (first === undefined || second === undefined || third === undefined) throw new Error('phases');
  const at = (phase: typeof first) => ipsecIntent(intentOf(['ipsec']), { node: 'n1', phase });
  const kinds = (from: typeof first, to: typeof first): readonly string[] =>
    planIpsec(at(from), at(to)).map(({ kind }) => kind);
  expect(kinds(steadyPhase(4), first)).toEqual(['association-add']);
  expect(kinds(first, second)).toEqual(['association-add', 'policy-set', 'association-delete']);
  expect(kinds(second, third)).toEqual(['association-delete']);
  expect(planIpsec(at(third), at(steadyPhase(5)))).toEqual([]);
});

test('both ends reckon the same SPI, another for each direction and for four epochs in a row', () => {
  const spis = [0, 1, 2, 3].flatMap((epoch) => [
    ipsecSpi({ from: 'n1', to: 'n2', epoch }),
    ipsecSpi({ from: 'n2', to: 'n1', epoch }),
  ]);
  expect(new Set(spis).size).toBe(8);
  for (const spi of spis) {
    expect(spi).toBeGreaterThan(255);
    expect(spi).toBeLessThanOrEqual(0xffffffff);
  }
});

test('everything goes, and what drops plaintext goes last', () => {
  const plan = planIpsec(wanted(2), undefined).map(({ kind }) => kind);
  expect(plan.slice(0, 2)).toEqual(['policy-delete', 'policy-delete']);
  expect(plan.slice(-2)).toEqual(['guard-delete', 'block-delete']);
});

const macsec = (epoch: number, peers = ['n2']) => ({
  node: 'n1',
  dev: 'tm0',
  parent: 'eth0',
  peers: peers.map((node) => ({ node, mac: `06:00:00:00:00:0${node.slice(1)}` })),
  phase: steadyPhase(epoch),
});

test('the parent is shut before there is a device, and opened after it is gone', () => {
  const plan = planMacsec(undefined, macsec(0));
  expect(plan.map(({ kind }) => kind)).toEqual([
    'parent-guard',
    'device-add',
    'channel-add',
    'receive-add',
    'send-add',
    'send-use',
  ]);
  const text = plan.map((operation) => macsecCommand(operation, shownKey).line).join('\n');
  expect(text).toContain('ether type { 0x88e5, 0x888e } accept');
  expect(text).toContain('<macsec key 0 of n1>');
  expect(planMacsec(macsec(0), undefined).map(({ kind }) => kind)).toEqual([
    'device-delete',
    'parent-open',
  ]);
});

test('keys of MACsec rotate over four numbers; a peer that is gone takes its channel along', () => {
  const [first, second] = rotationPhases(4);
  if (first === undefined || second === undefined) throw new Error('phases');
  const at = (phase: typeof first) => ({ ...macsec(4), phase });
  expect(planMacsec(at(steadyPhase(4)), at(first))).toMatchObject([
    { kind: 'receive-add', associationNumber: 1, key: { from: 'n2', epoch: 5 } },
  ]);
  expect(planMacsec(at(first), at(second))).toMatchObject([
    { kind: 'send-add', associationNumber: 1 },
    { kind: 'send-use', associationNumber: 1 },
    { kind: 'send-delete', associationNumber: 0 },
  ]);
  expect(planMacsec(macsec(0, ['n2', 'n3']), macsec(0)).map(({ kind }) => kind)).toEqual([
    'channel-delete',
  ]);
});
