import { defined } from '@tapline/base';
import type { XfrmState } from '../state/node-state.ts';
import { assertLength, malformed } from './json-records.ts';

type Association = XfrmState['associations'][number];
type Policy = XfrmState['policies'][number];

/** Reads `ip xfrm state list nokeys` and `ip xfrm policy`, which have no JSON. */
export function parseXfrm(states: string, policies: string): XfrmState {
  return {
    associations: blocks(states, 'ip xfrm state').map(readAssociation),
    policies: blocks(policies, 'ip xfrm policy')
      // Of one socket only, and never VXLAN's: the kernel's socket has none.
      .filter((block) => !block.includes('socket'))
      .map(readPolicy),
  };
}

/** Each entry begins at the left; what belongs to it is indented. Words without white space. */
function blocks(output: string, source: string): readonly (readonly string[])[] {
  assertLength(output, source);
  const found: string[][] = [];
  for (const line of output.split('\n')) {
    if (line.trim() === '') continue;
    const words = line.trim().split(/\s+/);
    if (!/^\s/.test(line)) found.push(words);
    else if (found.length > 0) found.at(-1)?.push(...words);
    else throw malformed(source, 'it begins in the middle of an entry');
  }
  return found;
}

function readAssociation(words: readonly string[]): Association {
  const source = 'ip xfrm state';
  return {
    source: after(words, 'src', source),
    destination: after(words, 'dst', source),
    spi: numberAfter(words, 'spi', source),
    requestId: words.includes('reqid') ? numberAfter(words, 'reqid', source) : 0,
    mode: after(words, 'mode', source),
    algorithm: ['aead', 'enc', 'auth-trunc', 'auth', 'comp']
      .filter((key) => words.includes(key))
      .map((key) => after(words, key, source))
      .join(' '),
  };
}

function readPolicy(words: readonly string[]): Policy {
  const source = 'ip xfrm policy';
  const template = words.indexOf('tmpl');
  const selector = template === -1 ? words : words.slice(0, template);
  const rest = template === -1 ? [] : words.slice(template);
  const direction = after(selector, 'dir', source);
  if (direction !== 'in' && direction !== 'out' && direction !== 'fwd') {
    throw malformed(source, `direction ${direction.slice(0, 32)} is none of in, out, fwd`);
  }
  const protocol = selector.includes('proto') ? after(selector, 'proto', source) : undefined;
  const action = selector.includes('action') ? after(selector, 'action', source) : 'allow';
  return {
    direction,
    priority: numberAfter(selector, 'priority', source),
    source: after(selector, 'src', source),
    destination: after(selector, 'dst', source),
    action: action === 'allow' ? 'allow' : 'block',
    // Without a template nothing is encrypted; `level 3` and the like are not required either.
    level: template === -1 || rest.includes('level') ? 'use' : 'required',
    ...defined({
      // Where there is no list of names, the number is printed.
      protocol: protocol === '17' ? 'udp' : protocol,
      destinationPort: selector.includes('dport')
        ? numberAfter(selector, 'dport', source)
        : undefined,
      requestId: rest.includes('reqid') ? numberAfter(rest, 'reqid', source) : undefined,
      spi: rest.includes('spi') ? numberAfter(rest, 'spi', source) : undefined,
    }),
    ...(words.some((word) => conditions.has(word)) && { conditional: true as const }),
  };
}

const conditions = new Set(['sport', 'dev', 'if_id', 'mark', 'uid', 'security']);

function after(words: readonly string[], key: string, source: string): string {
  const at = words.indexOf(key);
  const value = at === -1 ? undefined : words[at + 1];
  if (value === undefined) throw malformed(source, `${key} is missing`);
  return value;
}

function numberAfter(words: readonly string[], key: string, source: string): number {
  // With statistics a number is followed by itself in hexadecimal: 1(0x00000001).
  const word = after(words, key, source).replace(/\(.*$/, '');
  const value = Number(word);
  if (!/^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(word) || value > 0xffffffff) {
    throw malformed(source, `${key} ${word.slice(0, 32)} is not a number of 32 bits`);
  }
  return value;
}
