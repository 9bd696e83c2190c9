import type { VectorInstruction } from '../vector-instruction.ts';
import { emitPolynomial } from './emit-cryptography.ts';
import { type GuestFunction, popVector, pushVector } from './guest-function.ts';
import { arithmeticOp, type comparisons, comparisonOp } from './simd-lane-operations.ts';
import { simdOp } from './wasm.ts';

/** Operations on lanes that WebAssembly has, too, or that are a rearrangement of bytes. */
export type InlineLanes = Extract<
  VectorInstruction,
  {
    readonly kind:
      | 'vector-lanes'
      | 'vector-one'
      | 'vector-shift'
      | 'vector-shift-long'
      | 'vector-shift-narrow'
      | 'vector-narrow'
      | 'vector-long'
      | 'vector-wide'
      | 'vector-pairwise'
      | 'vector-permute'
      | 'vector-extract'
      | 'vector-reverse'
      | 'vector-table';
  }
>;
type Of<Kind extends InlineLanes['kind']> = Extract<InlineLanes, { readonly kind: Kind }>;

const push = pushVector;

/** Writes what `compute` leaves on the stack; a short vector has zeros above it. */
function write(
  guest: GuestFunction,
  target: { readonly rd: number; readonly full: boolean },
  compute: () => void,
): true {
  compute();
  popVector(guest, target.rd, target.full);
  return true;
}

/** False where the interpreter has to do it. */
export function emitLanes(guest: GuestFunction, instruction: InlineLanes): boolean {
  switch (instruction.kind) {
    case 'vector-lanes':
      return emitTwo(guest, instruction);
    case 'vector-one':
      return emitOne(guest, instruction);
    case 'vector-shift':
      return emitShift(guest, instruction);
    case 'vector-shift-long':
      return emitShiftLong(guest, instruction);
    case 'vector-shift-narrow':
    case 'vector-narrow':
      return emitNarrow(guest, instruction);
    case 'vector-long':
      return emitLong(guest, instruction);
    case 'vector-wide':
      return emitWide(guest, instruction);
    case 'vector-pairwise':
      return emitPairwise(guest, instruction);
    case 'vector-permute':
      return emitPermute(guest, instruction);
    case 'vector-extract': {
      const { q, index, rd, rn, rm } = instruction;
      const bytes = q ? 16 : 8;
      const from = Array.from({ length: 16 }, (_, at) => {
        const byte = index + (at % bytes);
        return byte < bytes ? byte : byte - bytes + 16;
      });
      return shuffled(guest, { rd, rn, rm, full: q, from });
    }
    case 'vector-reverse': {
      const { size, lanes, container, rd, rn } = instruction;
      const swap = (1 << container) - (1 << size);
      const from = Array.from({ length: 16 }, (_, at) => at ^ swap);
      return shuffled(guest, { rd, rn, rm: rn, full: lanes << size === 16, from });
    }
    case 'vector-table': {
      const { op, q, registers, rd, rn, rm } = instruction;
      if (op === 'tbx') return false;
      const { body } = guest;
      const sixteens = 0x1010101010101010n;
      // Indexes from 16 on give zero, here as there.
      return write(guest, { rd, full: q }, () => {
        for (let at = 0; at < registers; at++) {
          push(guest, (rn + at) % 32);
          push(guest, rm);
          if (at > 0) {
            body.simdConstant(sixteens * BigInt(at), sixteens * BigInt(at));
            body.simd(simdOp.i8x16Sub);
          }
          body.simd(simdOp.swizzle);
          if (at > 0) body.simd(simdOp.or);
        }
      });
    }
  }
}

function shuffled(
  guest: GuestFunction,
  what: {
    readonly rd: number;
    readonly rn: number;
    readonly rm: number;
    readonly full: boolean;
    /** Bytes of both registers, one after the other. */
    readonly from: readonly number[];
  },
): true {
  return write(guest, what, () => {
    push(guest, what.rn);
    push(guest, what.rm);
    guest.body.shuffle(what.from);
  });
}

/** The bytes of lanes, by the lanes' numbers in both registers. */
function bytesOf(lanes: readonly number[], size: number): readonly number[] {
  const bytes = lanes.flatMap((lane) =>
    Array.from({ length: 1 << size }, (_, byte) => (lane << size) + byte),
  );
  return Array.from({ length: 16 }, (_, at) => bytes[at % bytes.length] ?? 0);
}

const compared: Partial<Record<Of<'vector-lanes'>['op'], keyof typeof comparisons>> = {
  cmeq: 'eq',
  cmgt: 'gt',
  cmge: 'ge',
  cmhi: 'hi',
  cmhs: 'hs',
};
const minimums = new Set(['smin', 'umin', 'smax', 'umax']);

function twoLanesOp({ op, size }: Of<'vector-lanes'>): number | undefined {
  const name = compared[op];
  if (name !== undefined) return comparisonOp(name, size);
  if (op === 'add' || op === 'sub') return arithmeticOp(op, size);
  if (op === 'smin' || op === 'umin' || op === 'smax' || op === 'umax') {
    return size === 3 ? undefined : arithmeticOp(op, size);
  }
  return op === 'urhadd' && size < 2 ? arithmeticOp(op, size) : undefined;
}

function emitTwo(guest: GuestFunction, instruction: Of<'vector-lanes'>): boolean {
  const { op, size, lanes, rd, rn, rm, index } = instruction;
  const bytes = lanes << size;
  if (bytes < 8) return false;
  const { body } = guest;
  const product = op === 'mul' || op === 'mla' || op === 'mls';
  if (index !== undefined && !product) return false;
  const pushSecond = (): void => pushLanesOf(guest, { rm, size, index });
  const target = { rd, full: bytes === 16 };
  if (op === 'cmtst') {
    const notEqual = comparisonOp('ne', size);
    if (notEqual === undefined) return false;
    return write(guest, target, () => {
      push(guest, rn);
      push(guest, rm);
      body.simd(simdOp.and);
      body.simdZero();
      body.simd(notEqual);
    });
  }
  const pushProduct = (): void => {
    if (size > 0) {
      push(guest, rn);
      pushSecond();
      body.simd(arithmeticOp('mul', size));
      return;
    }
    // Of bytes there are only products that are twice as wide.
    for (const half of [simdOp.i16x8ExtMulLowU, simdOp.i16x8ExtMulHighU]) {
      push(guest, rn);
      push(guest, rm);
      body.simd(half);
    }
    body.shuffle(Array.from({ length: 16 }, (_, at) => 2 * at));
  };
  if (op === 'mul') return write(guest, target, pushProduct);
  if ((op === 'sabd' || op === 'uabd' || op === 'saba' || op === 'uaba') && size < 3) {
    const signed = op.startsWith('s');
    return write(guest, target, () => {
      if (op.endsWith('ba')) push(guest, rd);
      for (const most of [true, false]) {
        push(guest, rn);
        push(guest, rm);
        body.simd(arithmeticOp(`${signed ? 's' : 'u'}${most ? 'max' : 'min'}`, size));
      }
      body.simd(arithmeticOp('sub', size));
      if (op.endsWith('ba')) body.simd(arithmeticOp('add', size));
    });
  }
  if (op === 'mla' || op === 'mls') {
    return write(guest, target, () => {
      push(guest, rd);
      pushProduct();
      body.simd(arithmeticOp(op === 'mla' ? 'add' : 'sub', size));
    });
  }
  const operation = twoLanesOp(instruction);
  if (operation === undefined) return false;
  return write(guest, target, () => {
    push(guest, rn);
    pushSecond();
    body.simd(operation);
  });
}

/** A register, or one of its lanes in all places. */
function pushLanesOf(
  guest: GuestFunction,
  from: { readonly rm: number; readonly size: number; readonly index: number | undefined },
): void {
  const { rm, size, index } = from;
  push(guest, rm);
  if (index === undefined) return;
  push(guest, rm);
  const lane = Array.from({ length: 16 >> size }, () => index);
  guest.body.shuffle(bytesOf(lane, size));
}

const comparedWithZero: Partial<Record<Of<'vector-one'>['op'], keyof typeof comparisons>> = {
  cmeq: 'eq',
  cmgt: 'gt',
  cmge: 'ge',
  cmle: 'le',
  cmlt: 'lt',
};

function emitOne(guest: GuestFunction, { op, size, lanes, rd, rn }: Of<'vector-one'>): boolean {
  const { body } = guest;
  const bytes = lanes << size;
  if (bytes < 8) return false;
  const target = { rd, full: bytes === 16 };
  const name = comparedWithZero[op];
  if (name !== undefined) {
    const operation = comparisonOp(name, size);
    if (operation === undefined) return false;
    return write(guest, target, () => {
      push(guest, rn);
      body.simdZero();
      body.simd(operation);
    });
  }
  const operations: Partial<Record<typeof op, number>> = {
    not: simdOp.not,
    cnt: simdOp.popcnt,
    abs: arithmeticOp('abs', size),
    neg: arithmeticOp('neg', size),
  };
  const operation = operations[op];
  if (operation === undefined) return false;
  return write(guest, target, () => {
    push(guest, rn);
    body.simd(operation);
  });
}

function emitShift(
  guest: GuestFunction,
  { op, size, lanes, amount, rd, rn }: Of<'vector-shift'>,
): boolean {
  const { body } = guest;
  const bits = 8 << size;
  const bytes = lanes << size;
  const signed = op === 'sshr' || op === 'ssra';
  const unsigned = op === 'ushr' || op === 'usra';
  // WebAssembly takes amounts modulo the width; all bits of a lane are its sign, or none.
  if (bytes < 8 || (amount === bits && !signed)) return false;
  if (op === 'sli' || op === 'sri')
    return emitInsertShifted(guest, { op, size, lanes, amount, rd, rn });
  if (op !== 'shl' && !signed && !unsigned) return false;
  const name = op === 'shl' ? 'shl' : signed ? 'sshr' : 'ushr';
  return write(guest, { rd, full: bytes === 16 }, () => {
    const accumulates = op === 'ssra' || op === 'usra';
    if (accumulates) push(guest, rd);
    push(guest, rn);
    body.i32(Math.min(amount, bits - 1));
    body.simd(arithmeticOp(name, size));
    if (accumulates) body.simd(arithmeticOp('add', size));
  });
}

/** SLI and SRI: what is not shifted to stays as it is. */
function emitInsertShifted(
  guest: GuestFunction,
  what: Pick<Of<'vector-shift'>, 'size' | 'lanes' | 'amount' | 'rd' | 'rn'> & {
    readonly op: 'sli' | 'sri';
  },
): true {
  const { op, size, lanes, amount, rd, rn } = what;
  const { body } = guest;
  const bits = 8 << size;
  const all = (1n << BigInt(bits)) - 1n;
  const written = op === 'sli' ? (all << BigInt(amount)) & all : all >> BigInt(amount);
  let mask = 0n;
  for (let at = 0; at < 64; at += bits) mask |= written << BigInt(at);
  return write(guest, { rd, full: lanes << size === 16 }, () => {
    push(guest, rn);
    body.i32(amount);
    body.simd(arithmeticOp(op === 'sli' ? 'shl' : 'ushr', size));
    push(guest, rd);
    body.simdConstant(mask, mask);
    body.simd(simdOp.bitSelect);
  });
}

/** Lanes of the lower or upper half, extended to twice their width. */
function pushExtended(
  guest: GuestFunction,
  half: { readonly size: number; readonly upper: boolean; readonly register: number },
  signed: boolean,
): void {
  push(guest, half.register);
  const first = arithmeticOp('extendLowSigned', half.size + 1);
  guest.body.simd(first + (signed ? 0 : 2) + (half.upper ? 1 : 0));
}

function emitShiftLong(
  guest: GuestFunction,
  { op, size, upper, amount, rd, rn }: Of<'vector-shift-long'>,
): boolean {
  return write(guest, { rd, full: true }, () => {
    pushExtended(guest, { size, upper, register: rn }, op === 'sshll');
    guest.body.i32(amount);
    guest.body.simd(arithmeticOp('shl', size + 1));
  });
}

/** XTN and SHRN: the lower halves of lanes that may have been shifted. */
function emitNarrow(
  guest: GuestFunction,
  instruction: Of<'vector-shift-narrow' | 'vector-narrow'>,
): boolean {
  const { op, size, lanes, upper, rd, rn } = instruction;
  if ((op !== 'xtn' && op !== 'shrn') || lanes === 1) return false;
  const { body } = guest;
  const narrow = bytesOf(
    Array.from({ length: lanes }, (_, at) => (16 >> size) + 2 * at),
    size,
  );
  const kept = Array.from({ length: 8 }, (_, at) => at);
  return write(guest, { rd, full: upper }, () => {
    push(guest, rd);
    push(guest, rn);
    if (instruction.kind === 'vector-shift-narrow') {
      body.i32(instruction.amount);
      body.simd(arithmeticOp('ushr', size + 1));
    }
    body.shuffle(upper ? [...kept, ...narrow.slice(0, 8)] : narrow);
  });
}

function emitLong(guest: GuestFunction, instruction: Of<'vector-long'>): boolean {
  const { op, size, lanes, upper, rd, rn, rm, index } = instruction;
  if (op === 'pmull' && size === 3) {
    emitPolynomial(guest, instruction);
    return true;
  }
  if (lanes === 1 || size === 3) return false;
  const { body } = guest;
  const signed = op.startsWith('s');
  const product = op.slice(1, 3) === 'ml' || op.slice(1) === 'mull';
  const sum = op.slice(1) === 'addl' ? 'add' : op.slice(1) === 'subl' ? 'sub' : undefined;
  if ((!product && sum === undefined) || op.startsWith('sqd') || op === 'pmull') return false;
  return write(guest, { rd, full: true }, () => {
    const accumulate = op.slice(1) === 'mlal' ? 'add' : op.slice(1) === 'mlsl' ? 'sub' : undefined;
    if (accumulate !== undefined) push(guest, rd);
    if (sum === undefined) {
      push(guest, rn);
      pushLanesOf(guest, { rm, size, index });
      const first = arithmeticOp('multiplyLowSigned', size + 1);
      body.simd(first + (signed ? 0 : 2) + (upper ? 1 : 0));
    } else {
      pushExtended(guest, { size, upper, register: rn }, signed);
      pushExtended(guest, { size, upper, register: rm }, signed);
      body.simd(arithmeticOp(sum, size + 1));
    }
    if (accumulate !== undefined) body.simd(arithmeticOp(accumulate, size + 1));
  });
}

function emitWide(
  guest: GuestFunction,
  { op, size, upper, rd, rn, rm }: Of<'vector-wide'>,
): boolean {
  return write(guest, { rd, full: true }, () => {
    push(guest, rn);
    pushExtended(guest, { size, upper, register: rm }, op.startsWith('s'));
    guest.body.simd(arithmeticOp(op.endsWith('addw') ? 'add' : 'sub', size + 1));
  });
}

/** Even lanes of both registers with the odd ones. */
function emitPairwise(
  guest: GuestFunction,
  { op, size, lanes, rd, rn, rm }: Of<'vector-pairwise'>,
): boolean {
  const name = op === 'addp' ? 'add' : op.slice(0, 4);
  if (name !== 'add' && !minimums.has(name)) return false;
  const { body } = guest;
  return write(guest, { rd, full: lanes << size === 16 }, () => {
    for (const odd of [0, 1]) {
      push(guest, rn);
      push(guest, rm);
      body.shuffle(
        bytesOf(
          both(lanes, size, (at) => 2 * at + odd),
          size,
        ),
      );
    }
    body.simd(arithmeticOp(name as 'add' | 'smin' | 'umin' | 'smax' | 'umax', size));
  });
}

/** Numbers of lanes in two vectors that follow each other, in the 128 bits of each register. */
function both(lanes: number, size: number, choose: (at: number) => number): readonly number[] {
  return Array.from({ length: lanes }, (_, at) => {
    const lane = choose(at);
    return lane < lanes ? lane : lane - lanes + (16 >> size);
  });
}

function emitPermute(
  guest: GuestFunction,
  { op, size, lanes, rd, rn, rm }: Of<'vector-permute'>,
): boolean {
  const second = op.endsWith('2') ? 1 : 0;
  const other = (at: number): number => ((at & 1) === 1 ? lanes : 0);
  const choices = {
    uzp: (at: number) => 2 * at + second,
    trn: (at: number) => other(at) + 2 * (at >> 1) + second,
    zip: (at: number) => other(at) + (at >> 1) + (second * lanes) / 2,
  };
  const choose = choices[op.slice(0, 3) as keyof typeof choices];
  const from = bytesOf(both(lanes, size, choose), size);
  return shuffled(guest, { rd, rn, rm, full: lanes << size === 16, from });
}
