/** Why a frame went no further. */
export const dropReasons = [
  /** Too short, a header that contradicts itself, or a type that could hide another. */
  'malformed',
  /** Source MAC or address is not the port's. */
  'spoofed',
  /** Longer than the segment's MTU allows. */
  'tooBig',
  /** No port has that MAC or address; there is nobody to flood to. */
  'unknownDestination',
  /** The policy says no. */
  'policy',
  /** From a node that has no such port, or with a group that is not the port's. */
  'foreign',
  /** A question for an address that this node answers, or that needs no answer. */
  'suppressed',
] as const;

export type DropReason = (typeof dropReasons)[number];

/** What a segment's frames came to on this node; kept over changes of the intent by who owns it. */
export interface SwitchCounters {
  fromPorts: number;
  toPorts: number;
  fromPeers: number;
  toPeers: number;
  /** Of VXLAN packets, their headers included. */
  fromPeerBytes: number;
  toPeerBytes: number;
  /** Packets that the way to another node did not take for their length; whoever sends them counts. */
  tooLargeForWay: number;
  /** Neighbour requests that the node answered itself. */
  answered: number;
  readonly dropped: Record<DropReason, number>;
}

export function emptyCounters(): SwitchCounters {
  return {
    fromPorts: 0,
    toPorts: 0,
    fromPeers: 0,
    toPeers: 0,
    fromPeerBytes: 0,
    toPeerBytes: 0,
    tooLargeForWay: 0,
    answered: 0,
    dropped: {
      malformed: 0,
      spoofed: 0,
      tooBig: 0,
      unknownDestination: 0,
      policy: 0,
      foreign: 0,
      suppressed: 0,
    },
  };
}
