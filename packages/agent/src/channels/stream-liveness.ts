/** Where a live playlist was seen to end, and since when it ends there. */
export interface StreamLiveness {
  readonly edge: string;
  readonly sinceMs: number;
}

// RFC 8216bis §6.2.1: a new segment is there within one and a half target durations.
const targets = 1.5;

/** What is known after a look, and for how long it has stood still beyond what it may. */
export function nextLiveness(
  before: StreamLiveness | undefined,
  seen: { readonly edge: string; readonly targetSeconds: number },
  nowMs: number,
): { readonly liveness: StreamLiveness; readonly behindSeconds: number } {
  const { edge, targetSeconds } = seen;
  const liveness = before?.edge === edge ? before : { edge, sinceMs: nowMs };
  const stillSeconds = (nowMs - liveness.sinceMs) / 1000;
  const behind = Math.max(0, stillSeconds - targets * targetSeconds);
  return { liveness, behindSeconds: Math.round(behind * 10) / 10 };
}
