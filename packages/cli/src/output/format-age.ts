const steps = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'm'],
  [1000, 's'],
] as const;

/** How long ago `time` (RFC 3339) was, as kubectl shows it: `5s`, `3m20s`, `2d4h`, `40d`. */
export function formatAge(time: string, nowMs: number): string {
  const then = Date.parse(time);
  if (Number.isNaN(then)) return '<invalid>';
  const ms = nowMs - then;
  const sign = ms < -1000 ? 'in ' : '';
  const elapsed = Math.abs(ms);
  const at = steps.findIndex(([unit]) => elapsed >= unit);
  const [unit, letter] = steps[at] ?? steps[3];
  const count = Math.floor(elapsed / unit);
  const next = steps[at + 1];
  const rest = next === undefined || at < 0 ? 0 : Math.floor((elapsed - count * unit) / next[0]);
  return `${sign}${count}${letter}${rest > 0 && count < 10 && next !== undefined ? `${rest}${next[1]}` : ''}`;
}
