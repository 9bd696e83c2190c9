import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { nodeFrameAead } from '../../packages/fabric/src/index.ts';
import {
  type AssociationKey,
  createNodeSwitch,
  type FabricIntent,
  MacsecReceiver,
  MacsecSender,
  portMac,
  readVxlanHeader,
} from '../../packages/segments/src/index.ts';
import { makeFrame } from '../../packages/segments/src/testing/make-frame.ts';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';
import { tapRows } from './tap-path.ts';

const milliseconds = 700;
const rounds = 5;

/** Frames per second of the switch, of MACsec and of the path over TAP, each beside its limit. */
export async function datapathRows(): Promise<readonly BenchmarkRow[]> {
  return [...switchRows(), ...macsecRows(), ...(await tapRows())];
}

function switchRows(): readonly BenchmarkRow[] {
  return [64, 1464].map((bytes) => {
    const forward = switchBetweenNodes(bytes);
    const copy = copyOnly(bytes);
    const [ours, peer] = alternate(forward, copy);
    return benchmarkRow({
      metric: `switch, a frame of ${bytes} bytes into VXLAN on one node and out of it on another`,
      unit: 'frames/s',
      better: 'higher',
      ours,
      peers: { 'two copies and the header, no policy': peer },
      note: `${((ours * bytes * 8) / 1e9).toFixed(1)} Gbit/s on one core, one of 400 ports`,
    });
  });
}

/** The whole way through two nodes' switches, without the system. */
function switchBetweenNodes(bytes: number): () => void {
  const intent = largeIntent();
  let arrived = 0;
  const packet = new Uint8Array(4096);
  let packetEnd = 0;
  const here = createNodeSwitch({
    intent,
    node: 'n0',
    output: {
      toPort: () => undefined,
      toPeer: (_, source, { start, end }) => {
        packet.set(source.subarray(start, end));
        packetEnd = end - start;
      },
    },
  });
  const there = createNodeSwitch({
    intent,
    node: 'n1',
    output: {
      toPort: (_, source, { start, end }) => {
        delivered.set(source.subarray(start, end));
        arrived += 1;
      },
      toPeer: () => undefined,
    },
  });
  const delivered = new Uint8Array(4096);
  const from = here.ports[0];
  const to = there.ports[0];
  const peer = there.peers.findIndex(({ node }) => node.name === 'n0');
  if (from === undefined || to === undefined) throw new Error('no ports');
  const frame = udpFrame({ bytes, from: from.intent.index, to: to.intent.index });
  const buffer = new Uint8Array(4096);
  buffer.set(frame, 8);
  const range = { start: 8, end: 8 + frame.length };
  const packetRange = { start: 0, end: 0 };
  return () => {
    const before = arrived;
    here.fromPort(0, buffer, range);
    packetRange.end = packetEnd;
    there.fromPeer(peer, packet, packetRange);
    if (arrived !== before + 1) throw new Error('a frame did not arrive');
  };
}

function copyOnly(bytes: number): () => void {
  const source = randomBytes(bytes + 8);
  source.set([0x88, 0, 0, 1, 0, 0x1b, 0x58, 0]);
  const packet = new Uint8Array(4096);
  const delivered = new Uint8Array(4096);
  const header = { vni: 0, group: 0 };
  return () => {
    packet.set(source.subarray(0, bytes + 8));
    if (!readVxlanHeader(packet, { start: 0, end: bytes + 8 }, header)) throw new Error('header');
    delivered.set(packet.subarray(8, bytes + 8));
  };
}

function macsecRows(): readonly BenchmarkRow[] {
  const bytes = 1464;
  return (['gcm-aes-128', 'gcm-aes-256', 'gcm-aes-xpn-256'] as const).map((cipher) => {
    const secret = randomBytes(cipher.endsWith('128') ? 16 : 32);
    const key: AssociationKey = {
      cipher,
      key: secret,
      ...(cipher.includes('xpn') && { salt: randomBytes(12), ssci: 1 }),
    };
    const [ours, peer] = alternate(macsecRoundTrip(key, bytes), gcmRoundTrip(secret, bytes));
    return benchmarkRow({
      metric: `MACsec ${cipher}, a frame of ${bytes} bytes protected and opened`,
      unit: 'frames/s',
      better: 'higher',
      ours,
      peers: { "node:crypto's GCM alone": peer },
    });
  });
}

function macsecRoundTrip(key: AssociationKey, bytes: number): () => void {
  const sci = randomBytes(8);
  const sender = new MacsecSender({ aead: nodeFrameAead, sci, sendSci: true, encrypt: true });
  const receiver = new MacsecReceiver({
    aead: nodeFrameAead,
    replayWindow: 64,
    acceptReadable: false,
  });
  sender.install(0, key);
  receiver.install(sci, 0, key);
  const frame = randomBytes(bytes);
  const secured = new Uint8Array(bytes + 64);
  const opened = new Uint8Array(bytes + 64);
  return () => {
    const length = sender.protect(frame, { start: 0, end: bytes }, secured);
    if (receiver.open(secured, { start: 0, end: length }, opened) !== bytes)
      throw new Error('lost');
  };
}

/** What no implementation on this platform can be faster than. */
function gcmRoundTrip(secret: Buffer, bytes: number): () => void {
  const name = secret.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm';
  const additional = randomBytes(28);
  const data = randomBytes(bytes - 12);
  const nonce = randomBytes(12);
  let counter = 0;
  return () => {
    counter += 1;
    nonce.writeUInt32BE(counter, 8);
    const sealing = createCipheriv(name, secret, nonce);
    sealing.setAAD(additional);
    const sealed = sealing.update(data);
    sealing.final();
    const opening = createDecipheriv(name, secret, nonce, { authTagLength: 16 });
    opening.setAAD(additional);
    opening.setAuthTag(sealing.getAuthTag());
    opening.update(sealed);
    opening.final();
  };
}

/** Medians of both per second, in turns, so that a busy moment meets both. */
function alternate(ours: () => void, peer: () => void): readonly [number, number] {
  const rates: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, work] of [ours, peer].entries()) {
      const rate = ratePerSecond(work);
      // The first round is for the compiler.
      if (round > 0) rates[index]?.push(rate);
    }
  }
  return [median(rates[0]), median(rates[1])];
}

function ratePerSecond(work: () => void): number {
  const startedAt = performance.now();
  let count = 0;
  let elapsed = 0;
  while (elapsed < milliseconds / rounds) {
    for (let index = 0; index < 500; index += 1) work();
    count += 500;
    elapsed = performance.now() - startedAt;
  }
  return (count / elapsed) * 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function udpFrame(options: {
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}): Uint8Array {
  const { bytes, from, to } = options;
  const ip = [
    0x45,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    64,
    17,
    0,
    0,
    10,
    7,
    from >> 8,
    from & 255,
    10,
    7,
    to >> 8,
    to & 255,
  ];
  const payload = [...ip, ...Array<number>(bytes - 34).fill(0)];
  return makeFrame(portMac(7000, to), portMac(7000, from), { type: 0x0800, payload });
}

function largeIntent(): FabricIntent {
  return {
    vxlanPort: 4789,
    nodes: [0, 1, 2, 3].map((number) => ({
      name: `n${number}`,
      vtep: `10.99.0.${number + 1}`,
      underlay: `192.0.2.${number + 1}`,
    })),
    segments: [
      {
        name: 's',
        vni: 7000,
        subnet: '10.7.0.0/16',
        mtu: 1450,
        encryption: { underlay: 'none', link: 'none' },
        communities: { a: 16 },
        ports: Array.from({ length: 400 }, (_, number) => ({
          node: `n${number % 4}`,
          index: number + 1,
          incarnation: 1,
          owner: 'w',
          addresses: [`10.7.${(number + 1) >> 8}.${(number + 1) & 255}`],
          role: { kind: 'community', community: 'a' },
          attach: { kind: 'host' },
        })),
      },
    ],
  };
}
