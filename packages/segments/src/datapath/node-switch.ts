import { TaplineError } from '@tapline/base';
import type { FabricIntent } from '../intent/segment-intent.ts';
import { answerArp, answerSolicitation, emptyAnswer } from './answer-neighbour.ts';
import { isGroupAddress, isReservedAddress } from './ethernet.ts';
import { type ByteRange, guardSource } from './guard-source.ts';
import { mayReachGroup } from './may-reach-group.ts';
import { questionIn } from './neighbour-question.ts';
import { type DropReason, emptyCounters, type SwitchCounters } from './switch-counters.ts';
import {
  portAt,
  type SwitchPeer,
  type SwitchPort,
  type SwitchSegment,
  switchTables,
} from './switch-tables.ts';
import { readVxlanHeader, vxlanHeaderBytes, writeVxlanHeader } from './vxlan-header.ts';

/**
 * Where frames and packets go. Bytes and ranges are valid in the call only, and a call must not lead
 * back into the same switch.
 */
export interface SwitchOutput {
  /** A frame for the port with that number on this node. */
  toPort(port: number, bytes: Uint8Array, range: ByteRange): void;
  /** A VXLAN packet (UDP payload) for the peer with that number. */
  toPeer(peer: number, bytes: Uint8Array, range: ByteRange): void;
}

export interface NodeSwitchOptions {
  readonly intent: FabricIntent;
  readonly node: string;
  readonly output: SwitchOutput;
  /** By VNI; those that are there go on. */
  readonly counters?: Map<number, SwitchCounters>;
}

/** All segments of one node. Another intent makes another switch: its tables never change. */
export interface NodeSwitch {
  readonly ports: readonly SwitchPort[];
  readonly peers: readonly SwitchPeer[];
  /** By VNI: what frames are decided by. */
  readonly segments: ReadonlyMap<number, SwitchSegment>;
  readonly counters: ReadonlyMap<number, SwitchCounters>;
  /** A frame that port number `port` sent, with at least 8 bytes of room before `range.start`. */
  fromPort(port: number, bytes: Uint8Array, range: ByteRange): void;
  /** A VXLAN packet that came from peer number `peer`. */
  fromPeer(peer: number, bytes: Uint8Array, range: ByteRange): void;
}

/**
 * The policy of segments without a kernel's help: static tables from the intent, nothing learned,
 * head-end replication, groups as VXLAN group policy ids, sources guarded, neighbours answered for.
 */
export function createNodeSwitch(options: NodeSwitchOptions): NodeSwitch {
  const { intent, node, output } = options;
  const { ports, peers, segments } = switchTables(intent, node);
  const counters = options.counters ?? new Map<number, SwitchCounters>();
  const countersOf = (vni: number): SwitchCounters => {
    const there = counters.get(vni) ?? emptyCounters();
    counters.set(vni, there);
    return there;
  };
  const portSegments = ports.map(({ vni }) => ({
    segment: found(segments.get(vni)),
    counter: countersOf(vni),
  }));
  const header = { vni: 0, group: 0 };
  const answer = emptyAnswer();
  const answerRange = { start: 0, end: 0 };
  const packetRange = { start: 0, end: 0 };
  const frameRange = { start: 0, end: 0 };

  function deliver(port: SwitchPort, counter: SwitchCounters, place: Place): void {
    counter.toPorts += 1;
    output.toPort(port.local, place.bytes, place.range);
  }

  function floodLocally(segment: SwitchSegment, counter: SwitchCounters, place: Place): void {
    for (const port of segment.local) {
      if (port !== place.from && mayReachGroup(place.group, port.group)) {
        deliver(port, counter, place);
      }
    }
  }

  function sendTo(peer: number, counter: SwitchCounters, bytes: Uint8Array): void {
    counter.toPeers += 1;
    counter.toPeerBytes += packetRange.end - packetRange.start;
    output.toPeer(peer, bytes, packetRange);
  }

  function encapsulate(segment: SwitchSegment, place: Place): void {
    header.vni = segment.intent.vni;
    header.group = place.group;
    packetRange.start = place.range.start - vxlanHeaderBytes;
    packetRange.end = place.range.end;
    writeVxlanHeader(place.bytes, packetRange.start, header);
  }

  function forward(
    segment: SwitchSegment,
    counter: SwitchCounters,
    place: Place,
  ): DropReason | undefined {
    const { bytes, range, group } = place;
    if (isGroupAddress(bytes, range.start)) {
      floodLocally(segment, counter, place);
      let written = false;
      for (const { peer, groups } of segment.flood) {
        if (!groups.some((there) => mayReachGroup(group, there))) continue;
        if (!written) encapsulate(segment, place);
        written = true;
        sendTo(peer, counter, bytes);
      }
      return undefined;
    }
    const target = portAt(segment, bytes, range.start);
    if (target === undefined || target === place.from) return 'unknownDestination';
    if (!mayReachGroup(group, target.group)) return 'policy';
    if (target.peer < 0) {
      deliver(target, counter, place);
    } else {
      encapsulate(segment, place);
      sendTo(target.peer, counter, bytes);
    }
    return undefined;
  }

  /** Whether the frame is a question that goes no further; the answer, if any, has gone out. */
  function answered(
    segment: SwitchSegment,
    counter: SwitchCounters,
    place: Place & { readonly from: SwitchPort },
  ): DropReason | 'yes' | undefined {
    const { bytes, range, from } = place;
    if (!isGroupAddress(bytes, range.start)) return undefined;
    const asked = questionIn(segment, bytes, range);
    if (asked === undefined) return undefined;
    if (asked.port === undefined) return 'unknownDestination';
    // Announcing oneself is no question: whoever may be reached hears it.
    if (asked.port === from) return asked.kind === 'arp' ? undefined : 'suppressed';
    if (!mayReachGroup(from.group, asked.port.group)) return 'policy';
    const { mac } = asked.port;
    const { start } = range;
    if (asked.kind === 'arp') {
      answerArp(answer, bytes, { start, mac });
    } else {
      // Nobody else can have the address: a search for duplicates needs no answer.
      if (asked.fromNobody) return 'suppressed';
      answerSolicitation(answer, bytes, { start, target: asked.target, mac });
    }
    answerRange.end = answer.length;
    counter.answered += 1;
    output.toPort(from.local, answer.bytes, answerRange);
    return 'yes';
  }

  return {
    ports,
    peers,
    segments,
    counters,
    fromPort(number, bytes, range) {
      const from = ports[number];
      const own = portSegments[number];
      if (from === undefined || own === undefined) {
        throw new TaplineError('port_unknown', `port ${number} is not one of ${ports.length}`);
      }
      if (range.start < vxlanHeaderBytes) {
        throw new TaplineError(
          'headroom_missing',
          `a frame at ${range.start} leaves no room for ${vxlanHeaderBytes} bytes of header`,
        );
      }
      const { segment, counter } = own;
      counter.fromPorts += 1;
      const place = { bytes, range, from, group: from.group };
      const reason =
        guardSource(bytes, range, from) ??
        (range.end - range.start > segment.frameBytes ? 'tooBig' : undefined) ??
        (isReservedAddress(bytes, range.start) ? 'unknownDestination' : undefined) ??
        answered(segment, counter, place) ??
        forward(segment, counter, place);
      if (reason !== undefined && reason !== 'yes') counter.dropped[reason] += 1;
    },
    fromPeer(number, bytes, range) {
      if (!readVxlanHeader(bytes, range, header)) return;
      const { group } = header;
      const segment = segments.get(header.vni);
      if (segment === undefined) return;
      const counter = countersOf(header.vni);
      counter.fromPeers += 1;
      counter.fromPeerBytes += range.end - range.start;
      frameRange.start = range.start + vxlanHeaderBytes;
      frameRange.end = range.end;
      const reason = checkArrival(segment, { bytes, number, group });
      if (reason !== undefined) {
        counter.dropped[reason] += 1;
        return;
      }
      const place = { bytes, range: frameRange, from: undefined, group };
      if (isGroupAddress(bytes, frameRange.start)) {
        floodLocally(segment, counter, place);
        return;
      }
      const target = portAt(segment, bytes, frameRange.start);
      if (target === undefined || target.peer >= 0) counter.dropped.unknownDestination += 1;
      else if (mayReachGroup(group, target.group)) deliver(target, counter, place);
      else counter.dropped.policy += 1;
    },
  };

  /** A peer speaks for its own ports only, and each with its own group. */
  function checkArrival(
    segment: SwitchSegment,
    packet: { readonly bytes: Uint8Array; readonly number: number; readonly group: number },
  ): DropReason | undefined {
    const { start, end } = frameRange;
    if (end - start < 14) return 'malformed';
    if (end - start > segment.frameBytes) return 'tooBig';
    if (isReservedAddress(packet.bytes, start)) return 'unknownDestination';
    const source = portAt(segment, packet.bytes, start + 6);
    if (source === undefined || source.peer !== packet.number || source.group !== packet.group) {
      return 'foreign';
    }
    return undefined;
  }
}

interface Place {
  readonly bytes: Uint8Array;
  readonly range: ByteRange;
  /** Undefined for what came from a peer. */
  readonly from: SwitchPort | undefined;
  readonly group: number;
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new TaplineError('segment_unknown', 'a port has no segment');
  return value;
}
