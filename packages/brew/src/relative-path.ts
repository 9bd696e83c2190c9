/** The path from folder `from` to `to`, both relative to the same place: `bin`, `Cellar/a` → `../Cellar/a`. */
export function relativePath(from: string, to: string): string {
  const start = from === '' ? [] : from.split('/');
  const end = to.split('/');
  let shared = 0;
  while (shared < start.length && start[shared] === end[shared]) shared += 1;
  return [...start.slice(shared).map(() => '..'), ...end.slice(shared)].join('/');
}

/** Where a link in the absolute folder `from` leads, by its text alone. */
export function resolvePath(from: string, target: string): string {
  const parts: string[] = [];
  const whole = target.startsWith('/') ? target : `${from}/${target}`;
  for (const part of whole.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
