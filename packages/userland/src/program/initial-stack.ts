import { guestPageSize } from '@tapline/a64';
import { bytesOf } from '../byte-string.ts';
import { errno, LinuxError } from '../errno.ts';
import type { Credentials } from '../files/access.ts';
import { viewOf } from '../memory/guest-memory.ts';
import type { AddressSpace } from '../memory/address-space.ts';
import type { LoadedFile } from './load-program.ts';

export interface StackContent {
  /** Byte strings. */
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly program: LoadedFile;
  /** Where the dynamic loader is; 0 without one. */
  readonly interpreterBase: number;
  /** AT_EXECFN. */
  readonly path: string;
  /** 16 bytes for AT_RANDOM. */
  readonly random: Uint8Array;
  /** AT_HWCAP: what programs may find out that the processor has. */
  readonly capabilities: number;
  readonly credentials: Credentials;
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
  platform: 15,
  capabilities: 16,
  clockTicks: 17,
  secure: 23,
  random: 25,
  path: 31,
} as const;
const headerSize = 56;
const clockTicks = 100;

/** Fills the stack as Linux does for a new program; says where SP is. */
export function writeInitialStack(space: AddressSpace, content: StackContent): number {
  const { argv, env, program, credentials } = content;
  const top = space.stackTop;
  const texts = [...argv, ...env, content.path].reduce((total, text) => total + text.length + 9, 0);
  // A quarter of the stack, as Linux has it.
  if (texts > space.stackSize / 4) throw new LinuxError(errno.argumentsTooLong);
  const source = { name: '[stack]', offset: 0, shared: false, growsDown: true };
  const length = Math.ceil((texts + 65_536) / guestPageSize) * guestPageSize;
  space.mapAt(top - length, { length, permissions: 3, source });
  let at = top;
  const put = (bytes: Uint8Array): number => {
    at -= bytes.length;
    space.write(at, bytes);
    return at;
  };
  const text = (value: string): number => put(bytesOf(`${value}\0`));
  const path = text(content.path);
  const variables = env.toReversed().map(text).toReversed();
  const values = argv.toReversed().map(text).toReversed();
  const platform = text('aarch64');
  const random = put(content.random);
  const pairs: readonly (readonly [number, number])[] = [
    [auxiliary.headers, program.headers],
    [auxiliary.headerSize, headerSize],
    [auxiliary.headerCount, program.headerCount],
    [auxiliary.pageSize, guestPageSize],
    [auxiliary.base, content.interpreterBase],
    [auxiliary.flags, 0],
    [auxiliary.entry, program.entry],
    [auxiliary.uid, credentials.uid],
    [auxiliary.euid, credentials.uid],
    [auxiliary.gid, credentials.gid],
    [auxiliary.egid, credentials.gid],
    [auxiliary.platform, platform],
    [auxiliary.capabilities, content.capabilities],
    [auxiliary.clockTicks, clockTicks],
    [auxiliary.secure, 0],
    [auxiliary.random, random],
    [auxiliary.path, path],
    [auxiliary.end, 0],
  ];
  const words = [values.length, ...values, 0, ...variables, 0, ...pairs.flat()];
  const bytes = new Uint8Array(words.length * 8);
  const view = viewOf(bytes);
  for (const [index, word] of words.entries()) view.setBigUint64(index * 8, BigInt(word), true);
  at = Math.floor((at - bytes.length) / 16) * 16;
  space.write(at, bytes);
  return at;
}
