import type { LinearMemory } from '@tapline/a64';
import { guestPageSize } from '@tapline/a64';
import type { LoadedProgram } from './load-program.ts';

export interface StackContent {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly program: LoadedProgram;
  /** AT_EXECFN. */
  readonly path: string;
  /** 16 bytes for AT_RANDOM. */
  readonly random: Uint8Array;
  /** AT_HWCAP: what programs may find out that the processor has. */
  readonly capabilities: number;
}

// include/uapi/linux/auxvec.h
const auxiliary = {
  end: 0,
  headers: 3,
  headerSize: 4,
  headerCount: 5,
  pageSize: 6,
  base: 7,
  flags: 8,
  entry: 9,
  uid: 11,
  euid: 12,
  gid: 13,
  egid: 14,
  capabilities: 16,
  clockTicks: 17,
  secure: 23,
  random: 25,
  path: 31,
} as const;
const headerSize = 56;
const clockTicks = 100;

/** Fills the stack that ends at `top` as Linux does for a new program; says where SP is. */
export function writeInitialStack(
  memory: LinearMemory,
  top: number,
  content: StackContent,
): number {
  const { argv, env, program } = content;
  let at = top;
  const put = (bytes: Uint8Array): number => {
    at -= bytes.length;
    memory.bytesAt(at, bytes.length).set(bytes);
    return at;
  };
  const text = (value: string): number => put(new TextEncoder().encode(`${value}\0`));
  const path = text(content.path);
  const variables = env.map(text);
  const values = argv.map(text);
  const random = put(content.random);
  const pairs: readonly (readonly [number, number])[] = [
    [auxiliary.headers, program.headers],
    [auxiliary.headerSize, headerSize],
    [auxiliary.headerCount, program.headerCount],
    [auxiliary.pageSize, guestPageSize],
    [auxiliary.base, 0],
    [auxiliary.flags, 0],
    [auxiliary.entry, program.entry],
    [auxiliary.uid, 0],
    [auxiliary.euid, 0],
    [auxiliary.gid, 0],
    [auxiliary.egid, 0],
    [auxiliary.capabilities, content.capabilities],
    [auxiliary.clockTicks, clockTicks],
    [auxiliary.secure, 0],
    [auxiliary.random, random],
    [auxiliary.path, path],
    [auxiliary.end, 0],
  ];
  const words = [values.length, ...values, 0, ...variables, 0, ...pairs.flat()];
  at -= words.length * 8;
  at -= at % 16;
  for (const [index, word] of words.entries()) memory.write(at + index * 8, BigInt(word), 3);
  return at;
}
