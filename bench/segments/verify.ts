import { performance } from 'node:perf_hooks';
import {
  checkCertificate,
  compileNode,
  createStateReader,
  createVerifier,
  type FabricIntent,
  type NodeState,
  type PortRole,
  type SegmentIntent,
  type StateReader,
  verifyFabric,
  wholeState,
} from '../../packages/segments/src/index.ts';
import { capable } from '../../packages/segments/src/testing/sample-intent.ts';
import { simulate } from '../../packages/segments/src/testing/simulate.ts';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';

const nodes = 200;
const nodesOfSegment = 4;
const portsOfSegment = 20;
/** So few are measured of what takes a time that is a multiple: segments are independent. */
const fewNodes = 8;
const rounds = 21;

const roles: readonly PortRole[] = [
  { kind: 'promiscuous' },
  { kind: 'community', community: 'a' },
  { kind: 'community', community: 'b' },
  { kind: 'isolated' },
  { kind: 'isolated' },
];

/**
 * Nodes with 500 ports each, in segments of 20 ports on 4 nodes, twice: 200 nodes whose segments all
 * have the same mix of roles, and a few where each has its own, drawn at random, so that none is like
 * another. Each round has states
 * that were parsed anew, so that no two entries share a text and nothing is warm but the code. Parsing
 * is timed apart: of JSON of the state, which has the size of what nft, ip and bridge print. There is
 * no verifier of nftables and VXLAN to be had as a peer, so that the peer is what one would write
 * first: every frame of every pair run through the rules. It is measured on one segment among the same
 * states and multiplied by their number.
 */
export function verifyRows(): readonly BenchmarkRow[] {
  const alike = measure(fabric(nodes, () => undefined));
  const random = measure(fabric(fewNodes, randomRoles(1)));
  const scale = nodes / fewNodes;
  const peer = 'every pair, frame by frame (extrapolated)';
  const size = `${nodes} nodes with 500 ports each`;
  return [
    benchmarkRow({
      metric: `verification of ${size}`,
      unit: 's',
      better: 'lower',
      ours: alike.wholeMs / 1000,
      peers: { [peer]: alike.naiveMs / 1000 },
      goal: 2,
      goalOn: 'ours',
      note: 'from parsed states, with the claim read and the certificate written',
    }),
    benchmarkRow({
      metric: `parsing and verification of ${size}`,
      unit: 's',
      better: 'lower',
      ours: (alike.parseMs + alike.wholeMs) / 1000,
      peers: { 'parsing alone': alike.parseMs / 1000 },
    }),
    benchmarkRow({
      metric: `verification of ${size}, roles at random in each segment`,
      unit: 's',
      better: 'lower',
      ours: (random.wholeMs * scale) / 1000,
      peers: { [peer]: (random.naiveMs * scale) / 1000 },
      note: `measured on ${fewNodes} nodes, ${random.wholeMs.toFixed(0)} ms`,
    }),
    benchmarkRow({
      metric: 'verification again after one change on one node',
      unit: 'ms',
      better: 'lower',
      ours: alike.readMs,
      peers: { 'all of it again': alike.wholeMs, 'all of the node parsed anew': alike.parsedMs },
      goal: 20,
      goalOn: 'ours',
      note: 'from the text that the node answers with, of which what differs is parsed; the certificate is written when it is asked for',
    }),
    benchmarkRow({
      metric: 'verification again after one change, what did not change being the same object',
      unit: 'ms',
      better: 'lower',
      ours: alike.sharedMs,
      peers: { 'all of the node is another object': alike.againMs },
      goal: 20,
      goalOn: 'ours',
    }),
    benchmarkRow({
      metric: 'verification again after one change, roles at random in each segment',
      unit: 'ms',
      better: 'lower',
      ours: random.againMs,
      peers: { 'all of it again': random.wholeMs },
      goal: 20,
      goalOn: 'ours',
    }),
    benchmarkRow({
      metric: 'certificate, per port',
      unit: 'bytes',
      better: 'lower',
      ours: alike.certificateBytes / (nodes * 500),
      peers: {},
      note: `${(alike.certificateBytes / 1e6).toFixed(1)} MB in all`,
    }),
    benchmarkRow({
      metric: `check of the certificate of ${nodesOfSegment} nodes with 500 ports each by the separate checker`,
      unit: 's',
      better: 'lower',
      ours: alike.checkMs / 1000,
      peers: {},
    }),
  ];
}

interface Measured {
  readonly parseMs: number;
  readonly wholeMs: number;
  readonly naiveMs: number;
  /** From a text of the node: read in part, and parsed as a whole. */
  readonly readMs: number;
  readonly parsedMs: number;
  readonly againMs: number;
  readonly sharedMs: number;
  readonly checkMs: number;
  readonly certificateBytes: number;
}

function measure(claim: FabricIntent): Measured {
  const texts = textsOf(claim);
  const parsed = Array.from({ length: 3 }, () => {
    const parse = timed(() => parseAll(texts));
    const verify = timed(() => {
      const verdict = verifyFabric(claim, parse.value);
      // All of it is put together when it is first read.
      return { ...verdict, certificate: verdict.certificate && { ...verdict.certificate } };
    });
    return { parseMs: parse.ms, wholeMs: verify.ms, states: parse.value, verdict: verify.value };
  }).reduce((least, entry) => (entry.wholeMs < least.wholeMs ? entry : least));
  const { states, verdict, parseMs, wholeMs } = parsed;
  const { certificate, result } = verdict;
  if (certificate === undefined) throw new Error(`the fabric is ${result}`);
  const one = part(claim, states, 'one');
  const some = part(claim, states, 'all');
  const own = verifyFabric(some.claim, some.states).certificate;
  if (own === undefined) throw new Error('a part of the fabric has no certificate');
  return {
    parseMs,
    wholeMs,
    naiveMs: timed(() => simulate(one.claim, one.states)).ms * claim.segments.length,
    readMs: fromTexts(claim, states, createStateReader),
    parsedMs: fromTexts(claim, states, () => (text) => JSON.parse(text) as NodeState),
    againMs: incremental(claim, states, (state, fdb) => structuredClone({ ...state, fdb })),
    sharedMs: incremental(claim, states, (state, fdb) => ({ ...state, fdb: structuredClone(fdb) })),
    checkMs: timed(() => checkCertificate(own, some.claim, some.states)).ms,
    certificateBytes: JSON.stringify(certificate).length,
  };
}

/** The nodes of the first segment, with that segment alone or with all that have no other nodes. */
function part(
  claim: FabricIntent,
  states: ReadonlyMap<string, NodeState>,
  what: 'one' | 'all',
): { readonly claim: FabricIntent; readonly states: ReadonlyMap<string, NodeState> } {
  const [first] = claim.segments;
  const members = new Set(first?.ports.map(({ node }) => node));
  const own = claim.segments.filter(({ ports }) => ports.every(({ node }) => members.has(node)));
  return {
    claim: { ...claim, segments: what === 'one' ? own.slice(0, 1) : own },
    states: new Map([...states].filter(([name]) => members.has(name))),
  };
}

/** The median of changes of one entry each. */
function incremental(
  claim: FabricIntent,
  states: ReadonlyMap<string, NodeState>,
  change: (state: NodeState, fdb: NodeState['fdb']) => NodeState,
): number {
  const verifier = createVerifier(claim, states);
  verifier.verdict();
  const name = claim.nodes[7]?.name ?? '';
  const state = states.get(name);
  if (state === undefined) throw new Error(`no node ${name}`);
  // All are made before, as memory that is fresh from a parser is collected at somebody's expense.
  const changes = Array.from({ length: rounds }, (_, round) =>
    change(
      state,
      state.fdb.filter((entry, index) => index !== round * 7 || entry.self),
    ),
  );
  const times = changes.map((changed) => timed(() => verifier.update(name, changed)).ms);
  return times.toSorted((a, b) => a - b)[(rounds - 1) / 2] ?? Number.NaN;
}

/** The same, from the texts that a node answers with. */
function fromTexts(
  claim: FabricIntent,
  states: ReadonlyMap<string, NodeState>,
  createReader: () => StateReader,
): number {
  const name = claim.nodes[7]?.name ?? '';
  const state = states.get(name);
  if (state === undefined) throw new Error(`no node ${name}`);
  const read = createReader();
  // The first change tells the reader where lists are; it counts as one of all.
  const first = read(textOf(state));
  const verifier = createVerifier(claim, new Map([...states, [name, first]]));
  verifier.verdict();
  const texts = Array.from({ length: rounds }, (_, round) =>
    textOf({
      ...state,
      fdb: state.fdb.filter((entry, index) => index !== round * 7 || entry.self),
    }),
  );
  const times = texts.map((text) => timed(() => verifier.update(name, read(text))).ms);
  return times.toSorted((a, b) => a - b)[(rounds - 1) / 2] ?? Number.NaN;
}

/** As it comes from a node: bytes that become one text. */
function textOf(state: NodeState): string {
  return Buffer.from(JSON.stringify(state)).toString();
}

function timed<T>(run: () => T): { readonly ms: number; readonly value: T } {
  const start = performance.now();
  const value = run();
  return { ms: performance.now() - start, value };
}

/** Each node compiled with its own segments only: it is told of no others. Bytes, outside of the heap. */
function textsOf(claim: FabricIntent): ReadonlyMap<string, Buffer> {
  const byNode = new Map<string, SegmentIntent[]>(claim.nodes.map(({ name }) => [name, []]));
  for (const segment of claim.segments) {
    for (const node of new Set(segment.ports.map((port) => port.node))) {
      byNode.get(node)?.push(segment);
    }
  }
  return new Map(
    claim.nodes.map(({ name, underlay }) => {
      const own = { ...claim, segments: byNode.get(name) ?? [] };
      const state = wholeState(compileNode(own, { node: name, capabilities: capable }));
      const addresses = [{ dev: 'eth0', address: underlay, prefixLength: 16 }];
      return [name, Buffer.from(JSON.stringify({ ...state, addresses }))];
    }),
  );
}

function parseAll(texts: ReadonlyMap<string, Buffer>): ReadonlyMap<string, NodeState> {
  return new Map(
    [...texts].map(([name, text]) => [name, JSON.parse(text.toString()) as NodeState]),
  );
}

type RoleOf = (index: number) => PortRole | undefined;

/** Always the same roles for a seed (mulberry32). */
function randomRoles(seed: number): RoleOf {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return roles[((mixed ^ (mixed >>> 14)) >>> 0) % roles.length];
  };
}

function fabric(count: number, roleOf: RoleOf): FabricIntent {
  const stride = count / nodesOfSegment;
  const segments = (count * 500) / portsOfSegment;
  return {
    vxlanPort: 4789,
    nodes: Array.from({ length: count }, (_, index) => ({
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
        role: roleOf(index) ?? roles[(index >> 2) % roles.length] ?? { kind: 'isolated' },
        attach: { kind: 'namespace', path: '/run/netns/w' },
      })),
    })),
  };
}
