import { performance } from 'node:perf_hooks';
import {
  checkCertificate,
  compileNode,
  createVerifier,
  type FabricIntent,
  type NodeCapabilities,
  type NodeState,
  type PortRole,
  verifyFabric,
  wholeState,
} from '../../packages/segments/src/index.ts';
import { simulate } from '../../packages/segments/src/testing/simulate.ts';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';

const nodes = 8;
/** Of the size that is asked for: segments are independent, so that it is a multiple. */
const wanted = 200;
const nodesOfSegment = 4;
const portsOfSegment = 20;
const segments = (nodes * 500) / portsOfSegment;
const rounds = 20;

const capabilities: NodeCapabilities = {
  underlayMtu: 1500,
  bridge: true,
  vxlanGbp: true,
  vnifilter: true,
  vlanFiltering: true,
  nftables: true,
  nftablesArp: true,
  clsBpf: true,
  wireguard: 'kernel',
  ipsec: true,
  macsec: true,
};

const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'community', community: 'a' },
  { kind: 'community', community: 'b' },
  { kind: 'isolated' },
  { kind: 'isolated' },
];

/**
 * Nodes with 500 ports each, in segments of 20 ports on 4 nodes: verified as a whole, from which the
 * time for 200 nodes is extrapolated, and after one change. There is no verifier of nftables and VXLAN to be had as a peer, so that the peer
 * is what one would write first: every frame of every pair run through the rules. It is measured on
 * one segment among the same states and multiplied by their number.
 */
export function verifyRows(): readonly BenchmarkRow[] {
  const claim = fabric();
  const states = new Map(
    claim.nodes.map(({ name, underlay }) => [name, stateOf(claim, name, underlay)]),
  );
  const whole = best(3, () => verifyFabric(claim, states));
  if (whole.value.result !== 'verified') throw new Error(`the fabric is ${whole.value.result}`);
  const [segment] = claim.segments;
  const one = segment === undefined ? claim : { ...claim, segments: [segment] };
  const members = new Set(one.segments.flatMap(({ ports }) => ports.map(({ node }) => node)));
  const few = new Map([...states].filter(([name]) => members.has(name)));
  const scale = wanted / nodes;
  const naive = best(1, () => simulate(one, few)).ms * segments;
  const certificate = whole.value.certificate;
  if (certificate === undefined) throw new Error('there is no certificate');
  const checked = best(1, () => checkCertificate(certificate, claim, states));
  const size = JSON.stringify(certificate).length;
  return [
    benchmarkRow({
      metric: `verification of ${wanted} nodes with 500 ports each`,
      unit: 's',
      better: 'lower',
      ours: (whole.ms * scale) / 1000,
      peers: { 'every pair, frame by frame (extrapolated)': (naive * scale) / 1000 },
      goal: 2,
      goalOn: 'ours',
      note: `measured on ${nodes} nodes, ${(whole.ms / 1000).toFixed(1)} s`,
    }),
    benchmarkRow({
      metric: 'verification again after one change on one node',
      unit: 'ms',
      better: 'lower',
      ours: incremental(claim, states),
      peers: { 'all of it again': whole.ms },
      goal: 20,
      goalOn: 'ours',
    }),
    benchmarkRow({
      metric: 'certificate, per port',
      unit: 'bytes',
      better: 'lower',
      ours: size / (nodes * 500),
      peers: {},
      note: `${(size / 1e6).toFixed(1)} MB in all, ${certificate.places.length} places`,
    }),
    benchmarkRow({
      metric: `check of the certificate of ${nodes} nodes by the separate checker`,
      unit: 's',
      better: 'lower',
      ours: checked.ms / 1000,
      peers: {},
    }),
  ];
}

/** The median of changes of one entry each, every time in a state that was read anew. */
function incremental(claim: FabricIntent, states: ReadonlyMap<string, NodeState>): number {
  const verifier = createVerifier(claim, states);
  verifier.verdict();
  const name = claim.nodes[7]?.name ?? '';
  const state = states.get(name);
  if (state === undefined) throw new Error(`no node ${name}`);
  const times = Array.from({ length: rounds }, (_, round) => {
    const fdb = state.fdb.filter((entry, index) => index !== round * 7 || entry.self);
    const changed = structuredClone({ ...state, fdb });
    const start = performance.now();
    verifier.update(name, changed);
    return performance.now() - start;
  });
  return times.toSorted((a, b) => a - b)[rounds / 2] ?? Number.NaN;
}

function best<T>(times: number, run: () => T): { readonly ms: number; readonly value: T } {
  const results = Array.from({ length: times }, () => {
    const start = performance.now();
    const value = run();
    return { ms: performance.now() - start, value };
  });
  return results.reduce((least, entry) => (entry.ms < least.ms ? entry : least));
}

function stateOf(claim: FabricIntent, node: string, underlay: string): NodeState {
  const state = wholeState(compileNode(claim, { node, capabilities }));
  return { ...state, addresses: [{ dev: 'eth0', address: underlay, prefixLength: 16 }] };
}

function fabric(): FabricIntent {
  const stride = nodes / nodesOfSegment;
  return {
    vxlanPort: 4789,
    nodes: Array.from({ length: nodes }, (_, index) => ({
      name: `n${index}`,
      vtep: `100.64.${index >> 8}.${index & 255}`,
      underlay: `172.16.${index >> 8}.${index & 255}`,
    })),
    segments: Array.from({ length: segments }, (_, number) => ({
      name: `s${number}`,
      vni: 10_000 + number,
      subnet: `10.${number >> 8}.${number & 255}.0/24`,
      mtu: 1450,
      encryption: { underlay: 'none', link: 'none' },
      communities: { a: 16, b: 17 },
      ports: Array.from({ length: portsOfSegment }, (_entry, index) => ({
        node: `n${(number % stride) + stride * (index % nodesOfSegment)}`,
        index: index + 1,
        incarnation: 1,
        owner: `w${number}.${index}`,
        addresses: [`10.${number >> 8}.${number & 255}.${index + 1}`],
        role: roles[(index >> 2) % roles.length] ?? { kind: 'isolated' },
        attach: { kind: 'namespace', path: '/run/netns/w' },
      })),
    })),
  };
}
