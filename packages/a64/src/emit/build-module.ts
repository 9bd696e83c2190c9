import { unsignedLeb128 } from './leb128.ts';
import { valueType } from './wasm.ts';

export interface ModuleFunction {
  /** Its code with size and locals. */
  readonly code: Uint8Array;
  readonly type: keyof typeof functionTypes;
  /** Its name among the exports, if it is one. */
  readonly name?: string;
}

/** Indexes that all modules share. */
export const moduleIndex = {
  /** The type of guest functions: () → i64, where to go on. */
  guestType: 0,
  /** Imported: has the interpreter run the instruction at the PC; 1 where it could not. */
  step: 0,
  /** Flags from their operands. */
  flags: 1,
  /** Calls what is at an address, or says that it is not translated. */
  dispatch: 2,
  firstGuestFunction: 3,
  /** Where the processor's state, the permissions of pages and the branch cache are. */
  stateGlobal: 0,
  permissionsGlobal: 1,
  cacheGlobal: 2,
} as const;

const functionTypes = { guest: 0, dispatch: 1, step: 2, flags: 3 } as const;
const functionTag = 0x60;
const kind = { function: 0, table: 1, memory: 2, global: 3 };

/**
 * A module over the guest's memory, the function table that all modules share, and three addresses
 * that are constant but only known where it is instantiated.
 */
export function buildModule(functions: readonly ModuleFunction[]): Uint8Array<ArrayBuffer> {
  const { i32, i64 } = valueType;
  const sections: readonly (readonly [number, readonly (readonly number[])[]])[] = [
    [
      1,
      [
        [functionTag, 0, 1, i64],
        [functionTag, 1, i64, 1, i64],
        [functionTag, 0, 1, i32],
        [functionTag, 4, i32, i64, i64, i32, 1, i32],
      ],
    ],
    [
      2,
      [
        imported('step', [kind.function, functionTypes.step]),
        imported('memory', [kind.memory, 0, 1]),
        imported('table', [kind.table, 0x70, 0, 0]),
        imported('state', [kind.global, i32, 0]),
        imported('permissions', [kind.global, i32, 0]),
        imported('cache', [kind.global, i32, 0]),
      ],
    ],
    [3, functions.map(({ type }) => [functionTypes[type]])],
    [
      7,
      functions.flatMap(({ name }, index) =>
        name === undefined ? [] : [[...text(name), kind.function, ...unsignedLeb128(index + 1)]],
      ),
    ],
  ];
  const parts: Uint8Array[] = [Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)];
  for (const [id, entries] of sections) {
    const content = [...unsignedLeb128(entries.length), ...entries.flat()];
    parts.push(Uint8Array.from([id, ...unsignedLeb128(content.length), ...content]));
  }
  const count = unsignedLeb128(functions.length);
  const codeSize = functions.reduce((total, { code }) => total + code.length, count.length);
  parts.push(Uint8Array.from([10, ...unsignedLeb128(codeSize), ...count]));
  parts.push(...functions.map(({ code }) => code));
  return concatenate(parts);
}

function imported(name: string, description: readonly number[]): readonly number[] {
  return [...text('a64'), ...text(name), ...description];
}

function text(value: string): readonly number[] {
  const bytes = new TextEncoder().encode(value);
  return [...unsignedLeb128(bytes.length), ...bytes];
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
