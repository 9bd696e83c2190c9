import { unsignedLeb128 } from './leb128.ts';
import { valueType, wasmOp } from './wasm.ts';

export interface ModuleFunction {
  /** Its code with size and locals. */
  readonly code: Uint8Array;
  readonly type: keyof typeof functionTypes;
  /** Put into the table, as guest's functions are. */
  readonly listed?: boolean;
  /** Where in the code, from its locals on, branches are that are seldom taken. */
  readonly unlikely?: readonly number[];
}

/** Indexes that all modules share. */
export const moduleIndex = {
  /** The type of guest functions: (calls that are open) → where to go on. */
  guestType: 0,
  /** Imported: has the interpreter run the instruction at the PC; 1 where it could not. */
  step: 0,
  /** Imported: a system call; 1 where it is for the machine's user, 2 where the PC says where to go on. */
  system: 1,
  /** Imported: a place was come to at first, or is hot; 1 where there is a function for it now. */
  arrive: 2,
  /** Imported: where the BR at an address goes to. */
  learn: 3,
  /** Imported: fuel is used up; how much more there is, or less than 0 where it is another's turn. */
  refuel: 4,
  /** Flags from their operands. */
  flags: 5,
  /** Calls what is at an address, or has it run without being translated. */
  dispatch: 6,
  /** The same, from where nothing comes back to. */
  jump: 7,
  /** Whether a range may be accessed. */
  check: 8,
  /** Fused products and sums. */
  fuse64: 9,
  fuse32: 10,
  fuse64x2: 11,
  fuse32x4: 12,
  /** The upper half of a product. */
  multiplyHigh: 13,
  firstGuestFunction: 14,
} as const;

const imports = 5;
const { i32, i64, f32, f64, v128 } = valueType;

/** Numbers of functions' types. */
export const functionTypes = {
  guest: 0,
  dispatch: 1,
  step: 2,
  flags: 3,
  check: 4,
  fuse64: 5,
  fuse32: 6,
  fuseVector: 7,
  multiplyHigh: 8,
  arrive: 9,
  learn: 10,
  crc32: 11,
} as const;
/** Parameters, and the one result. */
const signatures: readonly (readonly [parameters: readonly number[], result: number])[] = [
  [[i32], i64],
  [[i64, i32], i64],
  [[], i32],
  [[i32, i64, i64, i32], i32],
  [[i64, i32, i32], i32],
  [[f64, f64, f64], f64],
  [[f32, f32, f32], f32],
  [[v128, v128, v128], v128],
  [[i64, i64], i64],
  [[i32], i32],
  [[i32, i32], i32],
  [[i32, i64, i32, i32], i32],
];
const functionTag = 0x60;
const kind = { function: 0, table: 1, memory: 2, global: 3 };

/**
 * A module over the guest's memory and the function table that all modules share. Guest's functions
 * are put into the table one after the other, from the imported `base` on.
 */
export function buildModule(functions: readonly ModuleFunction[]): Uint8Array<ArrayBuffer> {
  const inTable = functions.flatMap(({ type, listed = type === 'guest' }, index) =>
    listed ? [index + imports] : [],
  );
  const sections: readonly (readonly [number, readonly (readonly number[])[]])[] = [
    [
      1,
      signatures.map(([parameters, result]) => [
        functionTag,
        parameters.length,
        ...parameters,
        1,
        result,
      ]),
    ],
    [
      2,
      [
        imported('step', [kind.function, functionTypes.step]),
        imported('system', [kind.function, functionTypes.step]),
        imported('arrive', [kind.function, functionTypes.arrive]),
        imported('learn', [kind.function, functionTypes.learn]),
        imported('refuel', [kind.function, functionTypes.step]),
        imported('memory', [kind.memory, 0, 1]),
        imported('table', [kind.table, 0x70, 0, 0]),
        imported('base', [kind.global, i32, 0]),
      ],
    ],
    [3, functions.map(({ type }) => [functionTypes[type]])],
    [
      9,
      [
        [
          0,
          wasmOp.globalGet,
          0,
          wasmOp.end,
          ...unsignedLeb128(inTable.length),
          ...inTable.flatMap(unsignedLeb128),
        ],
      ],
    ],
  ];
  const parts: Uint8Array[] = [Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)];
  for (const [id, entries] of sections) {
    const content = [...unsignedLeb128(entries.length), ...entries.flat()];
    parts.push(Uint8Array.from([id, ...unsignedLeb128(content.length), ...content]));
  }
  parts.push(branchHints(functions));
  const count = unsignedLeb128(functions.length);
  const codeSize = functions.reduce((total, { code }) => total + code.length, count.length);
  parts.push(Uint8Array.from([10, ...unsignedLeb128(codeSize), ...count]));
  parts.push(...functions.map(({ code }) => code));
  return concatenate(parts);
}

/** A section that compilers may leave aside; without it they take both ways for as likely. */
function branchHints(functions: readonly ModuleFunction[]): Uint8Array {
  const hinted = functions.flatMap(({ unlikely = [] }, index) =>
    unlikely.length > 0 ? [[index + imports, unlikely] as const] : [],
  );
  const content = text('metadata.code.branch_hint');
  content.push(...unsignedLeb128(hinted.length));
  for (const [index, unlikely] of hinted) {
    content.push(...unsignedLeb128(index), ...unsignedLeb128(unlikely.length));
    for (const at of unlikely) content.push(...unsignedLeb128(at), 1, 0);
  }
  return Uint8Array.from([0, ...unsignedLeb128(content.length), ...content]);
}

function imported(name: string, description: readonly number[]): readonly number[] {
  return [...text('a64'), ...text(name), ...description];
}

function text(value: string): number[] {
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
