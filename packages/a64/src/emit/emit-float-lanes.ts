import type { VectorInstruction } from '../vector-instruction.ts';
import { moduleIndex } from './build-module.ts';
import { type Computation, emitGuarded } from './emit-float.ts';
import { type GuestFunction, local, popVector, pushVector } from './guest-function.ts';
import { simdOp, wasmOp } from './wasm.ts';

/** Floating-point lanes that WebAssembly computes as the guest would, under a guard. */
export type InlineFloatLanes = Extract<
  VectorInstruction,
  {
    readonly kind:
      | 'vector-fp-lanes'
      | 'vector-fp-one'
      | 'vector-fp-pairwise'
      | 'scalar-pairwise'
      | 'vector-fp-long'
      | 'vector-fp-narrow'
      | 'vector-integer-to-fp'
      | 'vector-fp-to-integer';
  }
>;
type Of<Kind extends InlineFloatLanes['kind']> = Extract<InlineFloatLanes, { readonly kind: Kind }>;

const singles = {
  splat: simdOp.f32x4Splat,
  extract: simdOp.f32x4Extract,
  eq: simdOp.f32x4Eq,
  lt: simdOp.f32x4Lt,
  gt: simdOp.f32x4Gt,
  le: simdOp.f32x4Le,
  ge: simdOp.f32x4Ge,
  abs: simdOp.f32x4Abs,
  neg: simdOp.f32x4Neg,
  sqrt: simdOp.f32x4Sqrt,
  add: simdOp.f32x4Add,
  sub: simdOp.f32x4Sub,
  mul: simdOp.f32x4Mul,
  div: simdOp.f32x4Div,
  min: simdOp.f32x4Min,
  max: simdOp.f32x4Max,
  fuse: moduleIndex.fuse32x4,
  infinity: 0x7f8000007f800000n,
  least: 0x0080000000800000n,
} as const;
const doubles = {
  splat: simdOp.f64x2Splat,
  extract: simdOp.f64x2Extract,
  eq: simdOp.f64x2Eq,
  lt: simdOp.f64x2Lt,
  gt: simdOp.f64x2Gt,
  le: simdOp.f64x2Le,
  ge: simdOp.f64x2Ge,
  abs: simdOp.f64x2Abs,
  neg: simdOp.f64x2Neg,
  sqrt: simdOp.f64x2Sqrt,
  add: simdOp.f64x2Add,
  sub: simdOp.f64x2Sub,
  mul: simdOp.f64x2Mul,
  div: simdOp.f64x2Div,
  min: simdOp.f64x2Min,
  max: simdOp.f64x2Max,
  fuse: moduleIndex.fuse64x2,
  infinity: 0x7ff0000000000000n,
  least: 0x0010000000000000n,
} as const;
type LaneOps = typeof singles | typeof doubles;

function opsOf(size: number): LaneOps {
  return size === 3 ? doubles : singles;
}

/** False where the interpreter has to do it. */
export function emitFloatLanes(
  guest: GuestFunction,
  instruction: InlineFloatLanes,
  pc: number,
): boolean {
  if (instruction.kind === 'vector-fp-one' && exactSign(guest, instruction)) return true;
  const compute = computation(guest, instruction);
  if (compute === undefined) return false;
  emitGuarded(guest, { compute, pc, instruction });
  return true;
}

function computation(guest: GuestFunction, instruction: InlineFloatLanes): Computation | undefined {
  switch (instruction.kind) {
    case 'vector-fp-lanes':
      return twoLanes(guest, instruction);
    case 'vector-fp-one':
      return oneLane(guest, instruction);
    case 'vector-fp-pairwise':
    case 'scalar-pairwise':
      return pairs(guest, instruction);
    case 'vector-fp-long':
      return lengthen(guest, instruction);
    case 'vector-fp-narrow':
      return shorten(guest, instruction);
    case 'vector-integer-to-fp':
      return fromIntegers(guest, instruction);
    case 'vector-fp-to-integer':
      return toIntegers(guest, instruction);
  }
}

/** Whether a mask, on the stack, holds in all lanes that are the instruction's. */
function pushAll({ body }: GuestFunction, bytes: number): void {
  if (bytes === 16) body.simd(simdOp.i32x4AllTrue);
  else if (bytes === 8) {
    body.simdLane(simdOp.i64x2Extract, 0);
    body.i64(-1n);
    body.op(wasmOp.i64Eq);
  } else body.simdLane(simdOp.i32x4Extract, 0);
}

/** The result, in `quad`, with zeros above what is the instruction's. */
function popResult(guest: GuestFunction, register: number, bytes: number): void {
  const { body } = guest;
  body.get(local.quad);
  if (bytes === 4) {
    body.simdConstant(0xffffffffn, 0n);
    body.simd(simdOp.and);
  }
  popVector(guest, register, bytes !== 8);
}

function pushFinite({ body }: GuestFunction, ops: LaneOps): void {
  body.get(local.quad);
  body.simd(ops.abs);
  body.simdConstant(ops.infinity, ops.infinity);
  body.simd(ops.lt);
}

/** And lanes that were not rounded to denormals or zero; zeros of factors make exact ones. */
function pushOrdinary(guest: GuestFunction, ops: LaneOps, factors: readonly (() => void)[]): void {
  const { body } = guest;
  pushFinite(guest, ops);
  body.get(local.quad);
  body.simd(ops.abs);
  body.simdConstant(ops.least, ops.least);
  body.simd(ops.gt);
  for (const factor of factors) {
    factor();
    body.simdZero();
    body.simd(ops.eq);
    body.simd(simdOp.or);
  }
  body.simd(simdOp.and);
}

function twoLanes(
  guest: GuestFunction,
  { op, size, lanes, rd, rn, rm, index }: Of<'vector-fp-lanes'>,
): Computation | undefined {
  const { body } = guest;
  const ops = opsOf(size);
  const bytes = lanes << size;
  const first = (): void => pushVector(guest, rn);
  const second = (): void => {
    pushVector(guest, rm);
    if (index === undefined) return;
    body.simdLane(ops.extract, index);
    body.simd(ops.splat);
  };
  const pop = (): void => popResult(guest, rd, bytes);
  const binary = (operation: number): void => {
    first();
    second();
    body.simd(operation);
    body.set(local.quad);
  };
  switch (op) {
    case 'fadd':
    case 'fsub':
      return {
        mayRound: true,
        push: () => binary(op === 'fadd' ? ops.add : ops.sub),
        check: () => {
          pushFinite(guest, ops);
          pushAll(guest, bytes);
        },
        pop,
      };
    case 'fmul':
    case 'fdiv':
      return {
        mayRound: true,
        push: () => binary(op === 'fmul' ? ops.mul : ops.div),
        check: () => {
          pushOrdinary(guest, ops, op === 'fmul' ? [first, second] : [first]);
          pushAll(guest, bytes);
        },
        pop,
      };
    case 'fmax':
    case 'fmaxnm':
    case 'fmin':
    case 'fminnm':
      return {
        mayRound: false,
        push: () => binary(op.startsWith('fmax') ? ops.max : ops.min),
        check: () => {
          body.get(local.quad);
          body.get(local.quad);
          body.simd(ops.eq);
          pushAll(guest, bytes);
        },
        pop,
      };
    case 'fmla':
    case 'fmls':
      return {
        mayRound: true,
        push: () => {
          first();
          if (op === 'fmls') body.simd(ops.neg);
          second();
          pushVector(guest, rd);
          body.call(ops.fuse);
          body.set(local.quad);
        },
        check: () => {
          pushFinite(guest, ops);
          pushAll(guest, bytes);
        },
        pop,
      };
    case 'fabd':
      return {
        mayRound: true,
        push: () => {
          first();
          second();
          body.simd(ops.sub);
          body.simd(ops.abs);
          body.set(local.quad);
        },
        check: () => {
          pushFinite(guest, ops);
          pushAll(guest, bytes);
        },
        pop,
      };
    case 'fcmeq':
    case 'fcmge':
    case 'fcmgt':
    case 'facge':
    case 'facgt': {
      const magnitude = op.startsWith('fac');
      const operand = (push: () => void) => (): void => {
        push();
        if (magnitude) body.simd(ops.abs);
      };
      return comparison(guest, {
        ops,
        bytes,
        rd,
        operands: [operand(first), operand(second)],
        operation: op.endsWith('eq') ? ops.eq : op.endsWith('ge') ? ops.ge : ops.gt,
      });
    }
    default:
      return undefined;
  }
}

/** Of numbers; NaNs raise what the interpreter knows. */
function comparison(
  guest: GuestFunction,
  how: {
    readonly ops: LaneOps;
    readonly bytes: number;
    readonly rd: number;
    readonly operands: readonly [() => void, () => void];
    readonly operation: number;
  },
): Computation {
  const { body } = guest;
  const { ops, bytes, rd, operands, operation } = how;
  return {
    mayRound: false,
    push: () => {
      for (const operand of operands) operand();
      body.simd(operation);
      body.set(local.quad);
    },
    check: () => {
      for (const operand of operands) {
        operand();
        operand();
        body.simd(ops.eq);
      }
      body.simd(simdOp.and);
      pushAll(guest, bytes);
    },
    pop: () => popResult(guest, rd, bytes),
  };
}

/** FABS and FNEG are moves of bits. */
function exactSign(
  guest: GuestFunction,
  { op, size, lanes, rd, rn }: Of<'vector-fp-one'>,
): boolean {
  if (op !== 'fabs' && op !== 'fneg') return false;
  const ops = opsOf(size);
  const bytes = lanes << size;
  if (bytes < 8) return false;
  pushVector(guest, rn);
  guest.body.simd(op === 'fabs' ? ops.abs : ops.neg);
  popVector(guest, rd, bytes === 16);
  return true;
}

function oneLane(
  guest: GuestFunction,
  { op, size, lanes, rd, rn }: Of<'vector-fp-one'>,
): Computation | undefined {
  const { body } = guest;
  const ops = opsOf(size);
  const bytes = lanes << size;
  const operations = {
    fcmgt: ops.gt,
    fcmge: ops.ge,
    fcmeq: ops.eq,
    fcmle: ops.le,
    fcmlt: ops.lt,
  } as const;
  if (op === 'fsqrt') {
    return {
      mayRound: true,
      push: () => {
        pushVector(guest, rn);
        body.simd(ops.sqrt);
        body.set(local.quad);
      },
      check: () => {
        pushFinite(guest, ops);
        pushAll(guest, bytes);
      },
      pop: () => popResult(guest, rd, bytes),
    };
  }
  if (!(op in operations)) return undefined;
  return comparison(guest, {
    ops,
    bytes,
    rd,
    operands: [() => pushVector(guest, rn), () => body.simdZero()],
    operation: operations[op as keyof typeof operations],
  });
}

/** Sums, least and greatest of neighbours, of two registers or of the two lanes of one. */
function pairs(
  guest: GuestFunction,
  instruction: Of<'vector-fp-pairwise' | 'scalar-pairwise'>,
): Computation | undefined {
  const { op, size, lanes, rd, rn } = instruction;
  if (op === 'addp') return undefined;
  const { body } = guest;
  const ops = opsOf(size);
  const scalar = instruction.kind === 'scalar-pairwise';
  const rm = scalar ? rn : instruction.rm;
  const bytes = scalar ? 1 << size : lanes << size;
  const count = scalar ? 2 : lanes;
  const from = (odd: number): readonly number[] =>
    Array.from({ length: 16 }, (_, at) => {
      const lane = 2 * (at >> size) + odd;
      const within = lane < count ? lane : lane - count + (16 >> size);
      return ((within << size) + (at % (1 << size))) & 31;
    });
  const sum = op === 'faddp';
  return {
    mayRound: sum,
    push: () => {
      for (const odd of [0, 1]) {
        pushVector(guest, rn);
        pushVector(guest, rm);
        body.shuffle(from(odd));
      }
      body.simd(sum ? ops.add : op.startsWith('fmax') ? ops.max : ops.min);
      body.set(local.quad);
    },
    check: () => {
      if (sum) pushFinite(guest, ops);
      else {
        body.get(local.quad);
        body.get(local.quad);
        body.simd(ops.eq);
      }
      pushAll(guest, bytes);
    },
    pop: () => popResult(guest, rd, bytes),
  };
}

function lengthen(
  guest: GuestFunction,
  { from, upper, rd, rn }: Of<'vector-fp-long'>,
): Computation | undefined {
  if (from !== 32) return undefined;
  const { body } = guest;
  return {
    mayRound: false,
    push: () => {
      pushVector(guest, rn);
      if (upper) {
        pushVector(guest, rn);
        body.shuffle(Array.from({ length: 16 }, (_, at) => 8 + (at % 8)));
      }
      body.simd(simdOp.f64x2PromoteLowF32x4);
      body.set(local.quad);
    },
    check: () => {
      body.get(local.quad);
      body.get(local.quad);
      body.simd(doubles.eq);
      pushAll(guest, 16);
    },
    pop: () => popResult(guest, rd, 16),
  };
}

function shorten(
  guest: GuestFunction,
  { op, to, upper, rd, rn }: Of<'vector-fp-narrow'>,
): Computation | undefined {
  if (op !== 'fcvtn' || to !== 32) return undefined;
  const { body } = guest;
  return {
    mayRound: true,
    push: () => {
      pushVector(guest, rn);
      body.simd(simdOp.f32x4DemoteF64x2);
      body.set(local.quad);
    },
    // As doubles, of which zeros are exact.
    check: () => {
      body.get(local.quad);
      body.simd(simdOp.f64x2PromoteLowF32x4);
      body.simd(doubles.abs);
      body.set(local.otherQuad);
      body.get(local.otherQuad);
      body.simdConstant(doubles.infinity, doubles.infinity);
      body.simd(doubles.lt);
      body.get(local.otherQuad);
      // 2^-126.
      body.simdConstant(0x3810000000000000n, 0x3810000000000000n);
      body.simd(doubles.gt);
      pushVector(guest, rn);
      body.simdZero();
      body.simd(doubles.eq);
      body.simd(simdOp.or);
      body.simd(simdOp.and);
      pushAll(guest, 16);
    },
    pop: () => {
      if (!upper) {
        popResult(guest, rd, 8);
        return;
      }
      pushVector(guest, rd);
      body.get(local.quad);
      body.shuffle(Array.from({ length: 16 }, (_, at) => (at < 8 ? at : at + 8)));
      popVector(guest, rd, true);
    },
  };
}

function fromIntegers(
  guest: GuestFunction,
  { size, lanes, signed, fractionBits, rd, rn }: Of<'vector-integer-to-fp'>,
): Computation | undefined {
  if (fractionBits > 0) return undefined;
  const { body } = guest;
  const bytes = lanes << size;
  return {
    mayRound: true,
    push: () => {
      if (size === 2) {
        pushVector(guest, rn);
        body.simd(signed ? simdOp.f32x4ConvertI32x4S : simdOp.f32x4ConvertI32x4U);
      } else {
        body.simdZero();
        for (let lane = 0; lane < lanes; lane++) {
          pushVector(guest, rn);
          body.simdLane(simdOp.i64x2Extract, lane);
          body.op(signed ? wasmOp.f64ConvertI64S : wasmOp.f64ConvertI64U);
          body.simdLane(simdOp.f64x2Replace, lane);
        }
      }
      body.set(local.quad);
    },
    check: () => body.i32(1),
    pop: () => popResult(guest, rd, bytes),
  };
}

function toIntegers(
  guest: GuestFunction,
  { size, lanes, signed, rounding, fractionBits, rd, rn }: Of<'vector-fp-to-integer'>,
): Computation | undefined {
  if (fractionBits > 0 || rounding !== 'zero') return undefined;
  const { body } = guest;
  const ops = opsOf(size);
  const bytes = lanes << size;
  // Inside of what the integers can be: 2^31 and 2^32, 2^63 for both.
  const single = signed ? 0x4f0000004f000000n : 0x4f8000004f800000n;
  const most = size === 2 ? single : 0x43e0000000000000n;
  return {
    mayRound: true,
    push: () => {
      pushVector(guest, rn);
      body.set(local.quad);
    },
    check: () => {
      body.get(local.quad);
      if (signed) body.simd(ops.abs);
      body.simdConstant(most, most);
      body.simd(ops.lt);
      if (!signed) {
        body.get(local.quad);
        body.simdZero();
        body.simd(ops.ge);
        body.simd(simdOp.and);
      }
      pushAll(guest, bytes);
    },
    pop: () => {
      if (size === 2) {
        body.get(local.quad);
        body.simd(signed ? simdOp.i32x4TruncF32x4S : simdOp.i32x4TruncF32x4U);
      } else {
        body.simdZero();
        for (let lane = 0; lane < lanes; lane++) {
          body.get(local.quad);
          body.simdLane(simdOp.f64x2Extract, lane);
          body.op(wasmOp.i64TruncF64S);
          body.simdLane(simdOp.i64x2Replace, lane);
        }
      }
      body.set(local.quad);
      popResult(guest, rd, bytes);
    },
  };
}
