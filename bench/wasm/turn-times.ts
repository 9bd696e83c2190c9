/** What a kernel printed: milliseconds of each turn, and its result. */
export interface Turns {
  readonly milliseconds: readonly number[];
  readonly result: string;
}

export function parseTurns(output: string): Turns {
  const lines = output.trim().split('\n');
  const turns = lines.map((line) => line.split(' '));
  return {
    milliseconds: turns.map(([nanoseconds]) => Number(nanoseconds) / 1e6),
    result: turns.at(-1)?.[1] ?? '',
  };
}

/** The middle one of the last half, when everything is warm. */
export function warmMilliseconds({ milliseconds }: Turns): number {
  const late = milliseconds.slice(Math.floor(milliseconds.length / 2)).toSorted((a, b) => a - b);
  return late[Math.floor(late.length / 2)] ?? Number.NaN;
}
