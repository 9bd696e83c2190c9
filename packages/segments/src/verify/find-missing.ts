import { type ClaimedPort, isAllowed } from './claim-index.ts';
import { describePort, endpointOf } from './describe-path.ts';
import type { FabricModel } from './fabric-model.ts';
import { canBe, type Frame } from './frame.ts';
import type { Answer } from './neighbour-answers.ts';
import type { NodeModel } from './node-model.ts';
import { type Closure, firstMark } from './segment-closure.ts';
import { type Arrivals, FrameTracer, type SentFrames } from './trace-frames.ts';
import { type TruthfulFrame, truthfulFrames } from './truthful-frames.ts';

/** Findings beyond this many of one segment say nothing new. */
export const mostMissing = 8;

/**
 * Pairs that the policy allows and the network does not carry. Unlike what may be reached, which is
 * more than can happen, this is followed frame by frame: what a port truthfully sends to find another
 * (broadcast, ARP, neighbour discovery) and to talk to it, from each of its addresses.
 */
export function findMissing(
  fabric: FabricModel,
  ports: readonly ClaimedPort[],
  closure: Closure,
): void {
  const tracer = new FrameTracer(fabric, closure.segment);
  const there = ports.filter((port) => isThere(fabric, port, closure));
  let found = 0;
  for (const from of there) {
    const node = fabric.node(from.intent.node);
    if (node === undefined) continue;
    const senders = truthfulFrames(from).map((frame) => new Sender(tracer, node, from, frame));
    for (const to of there) {
      if (found >= mostMissing) return;
      if (to === from || !isAllowed(from, to)) continue;
      const why = senders.find((sender) => !sender.reaches(to))?.why(fabric, to);
      if (why === undefined) continue;
      found += 1;
      closure.findings.add('missing', 'pair_unreachable', {
        node: from.intent.node,
        key: `${from.device} ${to.device}`,
        message: `${describePort(from)} may reach ${describePort(to)} and does not: ${why}`,
        from: endpointOf(from),
        to: endpointOf(to),
      });
    }
  }
}

/** Whether a port can send and be reached at all; it is found to be absent otherwise. */
function isThere(fabric: FabricModel, port: ClaimedPort, closure: Closure): boolean {
  const node = fabric.node(port.intent.node);
  if (node === undefined) return false;
  const link = node.links.get(port.device);
  const why = !closure.entered.has(port)
    ? `${port.device} is no member of a bridge, or in no VLAN of it, or down`
    : link?.carrier === false
      ? `the other end of ${port.device} is down or was never taken`
      : undefined;
  if (why === undefined) return true;
  closure.findings.add('missing', 'port_absent', {
    node: port.intent.node,
    key: port.device,
    message: `${describePort(port)} is not there: ${why}`,
    from: endpointOf(port),
  });
  return false;
}

type Asks = NonNullable<TruthfulFrame['asks']>;

/** One kind of frame of a port, and where it arrives. */
class Sender {
  readonly #tracer: FrameTracer;
  readonly #node: NodeModel;
  readonly #from: ClaimedPort;
  readonly #frame: TruthfulFrame;
  readonly #entered: readonly Frame[];
  #everybody: Arrivals | undefined;

  constructor(tracer: FrameTracer, node: NodeModel, from: ClaimedPort, frame: TruthfulFrame) {
    this.#tracer = tracer;
    this.#node = node;
    this.#from = from;
    this.#frame = frame;
    const link = node.links.get(from.device);
    this.#entered =
      link === undefined ? [] : node.enterKnown(from.device, firstMark(link), frame.fields);
  }

  reaches(to: ClaimedPort): boolean {
    const { asks, toAll, fields } = this.#frame;
    const answers = asks === undefined ? [] : this.#answersFor(to, asks);
    if (answers.length > 0 && asks !== undefined) {
      const isLet = (text: string) => this.#entered.some((frame) => canBe(frame, asks.field, text));
      return answers.every(
        ([text, answer]) =>
          isLet(text) &&
          answer.kind === 'answered' &&
          answer.mac === to.mac &&
          this.#node.leaves(this.#from.device, answer.mark),
      );
    }
    const sent = { frames: this.#entered, known: fields, asks: asks?.field };
    const arrivals = toAll
      ? (this.#everybody ??= this.#trace({ ...sent, mac: undefined }))
      : this.#trace({ ...sent, mac: to.mac });
    const arrived = arrivals.get(to) ?? [];
    if (asks === undefined) return arrived.length > 0;
    return asks.of(to).every((text) => arrived.some((frame) => canBe(frame, asks.field, text)));
  }

  /** Of a port of another node, where the bridge keeps what asks for it from going there. */
  #answersFor(to: ClaimedPort, asks: Asks): readonly (readonly [string, Answer])[] {
    if (asks.field !== 'arp daddr ip' || to.intent.node === this.#node.name) return [];
    return asks
      .of(to)
      .map((text) => [text, this.#node.answerTo(this.#from.device, text)] as const)
      .filter(([, { kind }]) => kind !== 'flooded');
  }

  #trace(sent: SentFrames): Arrivals {
    return this.#tracer.trace(this.#node, this.#from.device, sent);
  }

  why(fabric: FabricModel, to: ClaimedPort): string {
    const { what, toAll } = this.#frame;
    const node = this.#node;
    if (this.#entered.length === 0) return `${what} are not let in`;
    const { asks } = this.#frame;
    if (asks !== undefined && this.#answersFor(to, asks).length > 0) {
      return `${what} are kept by the bridge of ${node.name}, and the right answer does not come`;
    }
    const link = node.links.get(this.#from.device);
    const bridge = link?.master ?? '';
    const vlan = link && node.vlans.untagged(link);
    if (vlan === undefined) return `frames without a tag are in no VLAN of ${bridge}`;
    const outputs = node.outputs(bridge, vlan, toAll ? undefined : to.mac);
    if (outputs.length === 0) return `${bridge} of ${node.name} has no entry for ${to.mac}`;
    const tunnel = outputs.find((entry) => entry.vxlan !== undefined);
    const sent = tunnel && node.remotes(tunnel, vlan, toAll ? undefined : to.mac);
    const owners = sent?.map(({ dst }) => fabric.ownerOf(dst ?? '')?.node);
    if (to.intent.node !== node.name && owners?.includes(to.intent.node) !== true) {
      return `${what} are not sent to ${to.intent.node}`;
    }
    return `${what} do not arrive`;
  }
}
