import { TaplineError } from '@tapline/base';

/** Ports that may be used; closed unless named. */
export interface PortSet {
  has(port: number): boolean;
}

const mostPort = 65_535;

/** `80`, `8000-8999` and `all`, in any number. Throws `ports_invalid`. */
export function parsePortSet(texts: readonly string[]): PortSet {
  const ranges = texts.map(parseRange);
  return { has: (port) => ranges.some(([first, last]) => port >= first && port <= last) };
}

function parseRange(text: string): readonly [first: number, last: number] {
  if (text === 'all') return [1, mostPort];
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (first >= 1 && first <= last && last <= mostPort) return [first, last];
  throw new TaplineError(
    'ports_invalid',
    `${JSON.stringify(text)} is no port from 1 to ${mostPort}`,
    {
      hint: 'write 80, 8000-8999 or all',
    },
  );
}
