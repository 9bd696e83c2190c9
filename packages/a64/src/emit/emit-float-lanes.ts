import type { VectorInstruction } from '../vector-instruction.ts';
import { type Computation, emitGuarded } from './emit-float.ts';
import { fromIntegers, lengthen, shorten, toIntegers } from './float-lane-conversions.ts';
import { type LaneOps, opsOf, popResult, pushAll } from './float-lane-ops.ts';
import { type GuestFunction, local, popVector, pushVector } from './guest-function.ts';
import { simdOp } from './wasm.ts';

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
