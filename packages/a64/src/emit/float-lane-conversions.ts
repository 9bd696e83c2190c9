import type { VectorInstruction } from '../vector-instruction.ts';
import type { Computation } from './emit-float.ts';
import { doubles, opsOf, popResult, pushAll } from './float-lane-ops.ts';
import { type GuestFunction, local, popVector, pushVector } from './guest-function.ts';
import { simdOp, wasmOp } from './wasm.ts';

type Of<Kind extends VectorInstruction['kind']> = Extract<
  VectorInstruction,
  { readonly kind: Kind }
>;

export function lengthen(
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

export function shorten(
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

export function fromIntegers(
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
    exact: () => {
      const ops = opsOf(size);
      // 2^24 and 2^53: integers below are numbers of the format.
      const most = size === 2 ? 0x4b8000004b800000n : 0x4340000000000000n;
      body.get(local.quad);
      body.simd(ops.abs);
      body.simdConstant(most, most);
      body.simd(ops.lt);
      pushAll(guest, bytes);
    },
    pop: () => popResult(guest, rd, bytes),
  };
}

export function toIntegers(
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
