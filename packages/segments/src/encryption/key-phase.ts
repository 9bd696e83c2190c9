/** Keys that a node has at a time: it takes frames of several epochs and sends with one. */
export interface KeyPhase {
  readonly send: number;
  /** Ascending; `send` is among them. */
  readonly receive: readonly number[];
}

/** Steps from an epoch to the next. */
export const stepsPerEpoch = 3;

/**
 * What every node goes through, each step only when all nodes are through the one before: between
 * rotations it takes an epoch and the one before; then all can receive the next one, too; then each
 * sends with it; and what was last used two epochs ago goes. At any moment any node's frames are
 * taken by any other, also those still on their way.
 */
export function keyPhase(step: number): KeyPhase {
  const epoch = Math.floor(step / stepsPerEpoch);
  const before = epoch > 0 ? [epoch - 1] : [];
  switch (step % stepsPerEpoch) {
    case 0:
      return { send: epoch, receive: [...before, epoch] };
    case 1:
      return { send: epoch, receive: [...before, epoch, epoch + 1] };
    default:
      return { send: epoch + 1, receive: [...before, epoch, epoch + 1] };
  }
}
