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

/** The quickest one of the last half: everything is warm, and what else the machine did is left out. */
export function warmMilliseconds({ milliseconds }: Turns): number {
  return Math.min(...milliseconds.slice(Math.floor(milliseconds.length / 2)));
}
