import { viewOf } from '../memory/guest-memory.ts';

// include/uapi/asm-generic/termbits.h
export const inputFlags = {
  stripHigh: 0o40,
  newlineToReturn: 0o100,
  ignoreReturn: 0o200,
  returnToNewline: 0o400,
  flowControl: 0o2000,
  bell: 0o20000,
  utf8: 0o40000,
} as const;
export const outputFlags = {
  process: 1,
  newlineToReturn: 4,
  returnToNewline: 8,
  noReturnAtStart: 16,
  newlineReturns: 32,
  expandTabs: 0o14000,
} as const;
export const localFlags = {
  signals: 1,
  canonical: 2,
  echo: 8,
  echoErase: 16,
  echoKill: 32,
  echoNewline: 64,
  noFlush: 128,
  stopOutput: 256,
  echoControl: 512,
  echoKillErase: 2048,
  extended: 32768,
} as const;
/** Indexes of control characters. */
export const controls = {
  interrupt: 0,
  quit: 1,
  erase: 2,
  kill: 3,
  endOfFile: 4,
  time: 5,
  least: 6,
  start: 8,
  stop: 9,
  suspend: 10,
  endOfLine: 11,
  reprint: 12,
  eraseWord: 14,
  literalNext: 15,
  endOfLine2: 16,
} as const;

export interface TerminalSettings {
  input: number;
  output: number;
  control: number;
  local: number;
  line: number;
  readonly characters: Uint8Array;
}

export const settingsSize = 36;

/** What a terminal has that nobody has changed (tty_std_termios, 38,400 baud, UTF-8). */
export function defaultSettings(): TerminalSettings {
  const characters = new Uint8Array(19);
  characters.set([3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0]);
  return { input: 0o42400, output: 5, control: 0xbf, local: 0o105073, line: 0, characters };
}

/** struct termios of the kernel. */
export function writeSettings(room: Uint8Array, settings: TerminalSettings): void {
  const view = viewOf(room);
  view.setUint32(0, settings.input, true);
  view.setUint32(4, settings.output, true);
  view.setUint32(8, settings.control, true);
  view.setUint32(12, settings.local, true);
  room[16] = settings.line;
  room.set(settings.characters, 17);
}

export function readSettings(bytes: Uint8Array): TerminalSettings {
  const view = viewOf(bytes);
  return {
    input: view.getUint32(0, true),
    output: view.getUint32(4, true),
    control: view.getUint32(8, true),
    local: view.getUint32(12, true),
    line: bytes[16] ?? 0,
    characters: bytes.slice(17, 36),
  };
}
