import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keyPhase } from '../encryption/key-phase.ts';
import type { Encryption } from '../intent/segment-intent.ts';
import type { FdbEntry, LinkState, NodeState } from '../state/node-state.ts';
import { arbitraryFabric } from '../testing/arbitrary-fabric.ts';
import { compiledStates } from '../testing/compiled-states.ts';
import { sampleIntent, sampleSegment } from '../testing/sample-intent.ts';
import { macsecGuard } from '../encryption/macsec-guard.ts';
import { checkCertificate } from './check-certificate.ts';
import { createVerifier } from './create-verifier.ts';
import { formatVerdict } from './format-verdict.ts';
import type { Verdict } from './verdict.ts';
import { verifyFabric } from './verify-fabric.ts';

const names = ['a', 'b'];
const claim = sampleIntent([sampleSegment(names)]);
const good = compiledStates(claim);

/** The verdict when node `a` is different. */
function changed(change: (state: NodeState) => NodeState): Verdict {
  const state = good.get('a');
  if (state === undefined) throw new Error('no node a');
  return verifyFabric(claim, new Map([...good, ['a', change(state)]]));
}

function withLink(name: string, change: (link: LinkState) => LinkState) {
  return (state: NodeState): NodeState => ({
    ...state,
    links: state.links.map((link) => (link.name === name ? change(link) : link)),
  });
}

function codes(verdict: Verdict): readonly string[] {
  return [...new Set(verdict.findings.map(({ kind, code }) => `${kind} ${code}`))].toSorted();
}

function without(family: string) {
  return (state: NodeState): NodeState => ({
    ...state,
    nft: { tables: state.nft.tables.filter((table) => table.family !== family) },
  });
}

/** The same sets with more in them. */
function withElements(more: Readonly<Record<string, readonly unknown[]>>) {
  return (state: NodeState): NodeState => ({
    ...state,
    nft: {
      tables: state.nft.tables.map((table) => ({
        ...table,
        sets: table.sets.map((set) => ({
          ...set,
          elements: [...set.elements, ...(more[set.name] ?? [])],
        })),
      })),
    },
  });
}

const noFilters = (state: NodeState): NodeState => ({ ...state, egress: [] });

/** Port 4 of node a, isolated; port 3 is of community b. */
const isolated = 'tp5eg.4.1';

describe('what is compiled', () => {
  test('is verified, whatever the fabric', () => {
    fc.assert(
      fc.property(arbitraryFabric, (fabric) => {
        const verdict = verifyFabric(fabric, compiledStates(fabric));
        expect(verdict.findings).toEqual([]);
        expect(verdict.result).toBe('verified');
      }),
      { numRuns: 15 },
    );
  });

  test('is verified with WireGuard, and peers without a handshake are noted', () => {
    const encryption: Encryption = { underlay: 'wireguard', link: 'none' };
    const fabric = sampleIntent([sampleSegment(names, { encryption })]);
    const verdict = verifyFabric(fabric, compiledStates(fabric));
    expect(codes(verdict)).toEqual(['note no_handshake']);
    expect(verdict.result).toBe('verified');
  });
});

test('ports of the node itself can have any mark before the rules, and are proven as others are', () => {
  const states = new Map(
    [...good].map(([name, state]) => [
      name,
      {
        ...state,
        links: state.links.map((link) =>
          link.kind === 'veth' ? { ...link, lower: link.name.replace('tp', 'te') } : link,
        ),
      },
    ]),
  );
  const { result, certificate } = verifyFabric(claim, states);
  expect(result).toBe('verified');
  if (certificate === undefined) throw new Error('there is no certificate');
  expect(() => checkCertificate(certificate, claim, states)).not.toThrow();
});

test('a port whose workload is not there is missing', () => {
  const verdict = changed(withLink(isolated, (link) => ({ ...link, carrier: false })));
  expect(codes(verdict)).toEqual(['missing port_absent']);
});

describe('one layer', () => {
  test('alone is degraded: rules flushed, filters still hold', () => {
    const verdict = changed(without('bridge'));
    expect(verdict.result).toBe('open');
    // The node itself is then in the segment: no filter is between a bridge and its own host.
    expect(codes(verdict)).toContain('leak host_reached');
    expect(codes(verdict)).toContain('degraded rules_absent');
    expect(codes(verdict)).not.toContain('leak port_reached');
  });

  test('alone is degraded: filters gone, rules still hold', () => {
    const verdict = changed(noFilters);
    expect(codes(verdict)).toEqual(['degraded filter_absent']);
    expect(verdict.result).toBe('degraded');
  });

  test('and not the other opens: the path is printed packet by packet', () => {
    const verdict = changed((state) => noFilters(without('bridge')(state)));
    const leak = verdict.findings.find(
      ({ code, from, to }) =>
        code === 'port_reached' && from?.port?.index === 3 && to?.device === isolated,
    );
    expect(leak?.path.map((hop) => `${hop.node} ${hop.at} ${hop.device}`)).toEqual([
      'a port tp5eg.3.1',
      'a ingress tp5eg.3.1',
      'a bridge tb7000',
      `a forward ${isolated}`,
      `a filter ${isolated}`,
      `a port ${isolated}`,
    ]);
    expect(formatVerdict(verdict)).toContain('no filter stops it');
  });
});

describe('a fault', () => {
  const foreign: LinkState = {
    name: 'eth9',
    kind: 'veth',
    up: true,
    mtu: 1500,
    mac: '06:00:00:00:00:99',
    master: 'tb7000',
  };
  test.each<[string, (state: NodeState) => NodeState, string, Verdict['result']]>([
    [
      'an interface of somebody else in the bridge',
      (state) => ({ ...state, links: [...state.links, foreign] }),
      'degraded stranger_in_bridge',
      'degraded',
    ],
    [
      'an interface of somebody else in the bridge, and rules that do not mind',
      (state) => noFilters(without('bridge')({ ...state, links: [...state.links, foreign] })),
      'leak stranger_in_bridge',
      'open',
    ],
    [
      'a flood entry for a VTEP that is none',
      (state) => ({
        ...state,
        fdb: [
          ...state.fdb,
          { dev: 'tv7000', mac: '00:00:00:00:00:00', dst: '203.0.113.9', self: true },
        ],
      }),
      'leak frame_to_stranger',
      'open',
    ],
    [
      'an entry that goes to another VNI of the fabric',
      (state) => ({
        ...state,
        fdb: state.fdb.map((entry) => (entry.self ? { ...entry, dst: '203.0.113.9' } : entry)),
      }),
      'leak frame_to_stranger',
      'open',
    ],
    ['no rules of the underlay', without('inet'), 'degraded stranger_accepted', 'degraded'],
    [
      'learning',
      withLink('tv7000', (link) => ({
        ...link,
        ...(link.vxlan && { vxlan: { ...link.vxlan, learning: true } }),
      })),
      'degraded learning_on',
      'degraded',
    ],
    [
      'no groups on the wire',
      withLink('tv7000', (link) => ({
        ...link,
        ...(link.vxlan && { vxlan: { ...link.vxlan, gbp: false } }),
      })),
      'missing pair_unreachable',
      'degraded',
    ],
    [
      'an address on the bridge',
      (state) => ({
        ...state,
        addresses: [...state.addresses, { dev: 'tb7000', address: '10.7.0.1', prefixLength: 24 }],
      }),
      'degraded host_address',
      'degraded',
    ],
    [
      'a macvlan on a port',
      (state) => ({
        ...state,
        links: [...state.links, { ...foreign, kind: 'macvlan', lower: isolated, master: 'br9' }],
      }),
      'degraded device_stacked',
      'degraded',
    ],
    [
      'a filter of somebody else before ours',
      (state) => ({
        ...state,
        foreignFilters: [{ dev: isolated, direction: 'egress', kind: 'flower', preference: 1 }],
      }),
      'degraded filter_absent',
      'degraded',
    ],
    [
      'a port that is down',
      withLink(isolated, (link) => ({ ...link, up: false })),
      'missing port_absent',
      'verified',
    ],
    [
      'a neighbour that the bridge says is another',
      (state) => ({
        ...state,
        neighbours: state.neighbours.map((entry) => ({ ...entry, mac: '02:00:1b:58:00:06' })),
      }),
      'leak neighbour_wrong',
      'open',
    ],
    [
      'a neighbour that the bridge tells to whom policy keeps from it',
      withElements({
        arp_targets: [{ concat: [isolated, '10.7.0.8'] }],
        answers: [[{ concat: [isolated, '10.7.0.8'] }, 1]],
      }),
      'degraded neighbour_told',
      'degraded',
    ],
    [
      'a neighbour whose answer bears no mark',
      (state) => without('arp')(state),
      'missing pair_unreachable',
      'verified',
    ],
    [
      'an entry of the bridge that is gone',
      (state) => ({ ...state, fdb: state.fdb.filter(({ dev }) => dev !== isolated) }),
      'missing pair_unreachable',
      'verified',
    ],
  ])('%s', (_, fault, code, result) => {
    const verdict = changed(fault);
    expect(codes(verdict)).toContain(code);
    expect(verdict.result).toBe(result);
    expect(verdict.certificate === undefined).toBe(result === 'open');
  });

  test('a neighbour that is gone is asked for everywhere, as before', () => {
    expect(changed((state) => ({ ...state, neighbours: [] })).findings).toEqual([]);
  });

  test('a node that was not observed proves nothing', () => {
    const states = new Map([...good].filter(([name]) => name !== 'b'));
    expect(verifyFabric(claim, states).result).toBe('unproven');
  });

  test('a VXLAN device that left WireGuard sends and takes plaintext', () => {
    const encryption: Encryption = { underlay: 'wireguard', link: 'none' };
    const fabric = sampleIntent([sampleSegment(names, { encryption })]);
    const states = compiledStates(fabric);
    const state = states.get('a');
    if (state === undefined) throw new Error('no node a');
    const fdb = state.fdb.map((entry): FdbEntry => {
      const { dev, mac, dst, self } = entry;
      return dst === undefined ? entry : { dev, mac, dst, self };
    });
    const unbound: NodeState = { ...state, fdb };
    expect(codes(verifyFabric(fabric, new Map([...states, ['a', unbound]])))).toContain(
      'degraded device_unbound',
    );
    const outside = { ...unbound, routes: [] };
    expect(codes(verifyFabric(fabric, new Map([...states, ['a', outside]])))).toContain(
      'leak plaintext_sent',
    );
    const unguarded = without('inet')(state);
    expect(codes(verifyFabric(fabric, new Map([...states, ['a', unguarded]])))).toContain(
      'leak plaintext_accepted',
    );
  });

  test('IPsec keeps plaintext out by rules and by policies, and each of them alone', () => {
    const encryption: Encryption = { underlay: 'ipsec', link: 'none' };
    const sample = sampleIntent([sampleSegment(names, { encryption })]);
    const fabric = {
      ...sample,
      keys: keyPhase(0),
      nodes: sample.nodes.map((node, at) => ({
        ...node,
        agreementKey: `${at}`.repeat(43),
        keyGeneration: 1,
      })),
    };
    const states = compiledStates(fabric);
    const found = (change: (state: NodeState) => NodeState): readonly string[] => {
      const state = states.get('a');
      if (state === undefined) throw new Error('no node a');
      return codes(verifyFabric(fabric, new Map([...states, ['a', change(state)]]))).filter(
        (code) => /policy|rules|plaintext_accepted|stranger/.test(code),
      );
    };
    const noPolicies = (state: NodeState): NodeState => ({
      ...state,
      xfrm: {
        ...state.xfrm,
        policies: state.xfrm.policies.filter(({ direction }) => direction === 'out'),
      },
    });
    expect(found((state) => state)).toEqual([]);
    expect(found(without('inet'))).toEqual(['degraded rules_absent']);
    expect(found(noPolicies)).toEqual(['degraded policy_absent']);
    expect(found((state) => noPolicies(without('inet')(state)))).toEqual([
      'leak plaintext_accepted',
      'leak stranger_accepted',
    ]);
    const onlyPeers = (state: NodeState): NodeState => ({
      ...state,
      xfrm: {
        ...state.xfrm,
        policies: state.xfrm.policies.filter(({ action }) => action !== 'block'),
      },
    });
    expect(found((state) => onlyPeers(without('inet')(state)))).toContain('leak stranger_accepted');
  });

  test('IPsec that nothing asks for is plaintext', () => {
    const encryption: Encryption = { underlay: 'ipsec', link: 'macsec' };
    const fabric = { ...claim, segments: [sampleSegment(names, { encryption })] };
    const verdict = verifyFabric(fabric, good);
    expect(codes(verdict)).toContain('leak plaintext_sent');
    expect(codes(verdict)).toContain('leak link_unencrypted');
  });
});

test('a link that MACsec has to itself is no reason to refuse a certificate, and a mark is', () => {
  const guarded = (statement: object): ReadonlyMap<string, NodeState> =>
    new Map(
      [...good].map(([name, state]) => {
        const guard = macsecGuard('eth1');
        const chains = guard.chains.map(({ rules, ...chain }) => ({
          ...chain,
          rules: [...rules, { statements: [statement] }],
        }));
        const tables = [{ ...guard, chains }, ...state.nft.tables];
        return [name, { ...state, nft: { tables } }];
      }),
    );
  const { certificate } = verifyFabric(claim, good);
  if (certificate === undefined) throw new Error('there is no certificate');
  expect(() => checkCertificate(certificate, claim, guarded({ drop: null }))).not.toThrow();
  const marking = { mangle: { key: { meta: { key: 'mark' } }, value: 1 } };
  expect(() => checkCertificate(certificate, claim, guarded(marking))).toThrow(/chains of others/);
});

test('a verifier that is kept says the same as a new one', () => {
  const verifier = createVerifier(claim, good);
  const state = good.get('a');
  if (state === undefined) throw new Error('no node a');
  const faulty = noFilters(without('bridge')(state));
  expect(verifier.verdict().result).toBe('verified');
  expect(verifier.update('a', faulty)).toEqual(
    verifyFabric(claim, new Map([...good, ['a', faulty]])),
  );
  expect(verifier.update('a', undefined).result).toBe('unproven');
  expect(verifier.update('a', state).result).toBe('verified');
});
