/** Keys that a node has at a time: it takes frames of several epochs and sends with one. */
export interface KeyPhase {
  readonly send: number;
  /** Ascending; `send` is among them. */
  readonly receive: readonly number[];
}

/**
 * What every node goes through from an epoch to the next, each phase only when all nodes are through
 * the one before: first all can receive, then each sends, then what was last used two epochs ago
 * goes. At any moment any node's frames are taken by any other, also those still on their way.
 */
export function rotationPhases(from: number): readonly KeyPhase[] {
  const before = from > 0 ? [from - 1] : [];
  return [
    { send: from, receive: [...before, from, from + 1] },
    { send: from + 1, receive: [...before, from, from + 1] },
    { send: from + 1, receive: [from, from + 1] },
  ];
}

/** The phase of a node between rotations. */
export function steadyPhase(epoch: number): KeyPhase {
  return { send: epoch, receive: epoch > 0 ? [epoch - 1, epoch] : [epoch] };
}
