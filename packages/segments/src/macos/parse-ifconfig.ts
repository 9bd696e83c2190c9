import { assertLength, malformed } from '../observe/json-records.ts';
import type { MacInterface } from './mac-state.ts';

const source = 'ifconfig -a';

/**
 * Reads `ifconfig -a` as macOS prints it: a line at the margin begins an interface, what is indented
 * is of it, and words that are not known are passed over.
 */
export function parseIfconfig(output: string): readonly MacInterface[] {
  assertLength(output, source);
  const found: MacInterface[] = [];
  for (const line of output.split('\n')) {
    const head = /^([a-z][a-z0-9]{0,14}): flags=[0-9a-f]+<([A-Z0-9_,]*)> mtu ([0-9]{1,6})/.exec(
      line,
    );
    if (head !== null) {
      const [, name = '', flags = '', mtu = ''] = head;
      const up = flags.split(',').includes('UP');
      found.push({ name, up, mtu: Number(mtu), addresses: [] });
      continue;
    }
    if (line.trim() === '') continue;
    const last = found.at(-1);
    if (!/^\s/.test(line) || last === undefined) {
      throw malformed(source, `${JSON.stringify(line.slice(0, 80))} begins no interface`);
    }
    found[found.length - 1] = { ...last, ...readDetail(line.trim().split(/\s+/), last) };
  }
  return found;
}

function readDetail(words: readonly string[], last: MacInterface): Partial<MacInterface> {
  const [word, value = ''] = words;
  switch (word) {
    case 'ether':
      return { mac: value };
    case 'inet': {
      const mask = numberAfter(words, 'netmask');
      return { addresses: [...last.addresses, { address: value, prefixLength: ones(mask) }] };
    }
    case 'inet6': {
      const prefixLength = numberAfter(words, 'prefixlen');
      // Those of the link have its name behind them.
      const address = value.replace(/%.*$/, '');
      return { addresses: [...last.addresses, { address, prefixLength }] };
    }
    default:
      return {};
  }
}

function numberAfter(words: readonly string[], name: string): number {
  const text = words[words.indexOf(name) + 1] ?? '';
  if (/^(0x[0-9a-f]{1,8}|[0-9]{1,3})$/.test(text)) return Number(text);
  throw malformed(source, `an address has no ${name}`);
}

function ones(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length;
}
