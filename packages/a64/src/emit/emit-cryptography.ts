import type { IntegerInstruction } from '../integer-instruction.ts';
import type { VectorInstruction } from '../vector-instruction.ts';
import { functionTypes } from './build-module.ts';
import {
  type GuestFunction,
  local,
  popRegister,
  popVector,
  pushRegister,
  pushVector,
} from './guest-function.ts';
import { arithmeticOp } from './simd-lane-operations.ts';
import { checksumTable } from '../interpret/crc32.ts';
import { tableIndex } from './table-functions.ts';
import { simdOp } from './wasm.ts';

type Of<Kind extends VectorInstruction['kind']> = Extract<
  VectorInstruction,
  { readonly kind: Kind }
>;

/** A function of three vectors from the machine's table. */
function callVector(guest: GuestFunction, index: number): void {
  guest.body.i32(index);
  guest.body.callIndirect(functionTypes.fuseVector);
}

export function emitAes(guest: GuestFunction, { op, rd, rn }: Of<'aes'>): void {
  const mixes = op === 'aesmc' || op === 'aesimc';
  pushVector(guest, mixes ? rn : rd);
  pushVector(guest, rn);
  pushVector(guest, rn);
  callVector(guest, tableIndex[op]);
  popVector(guest, rd, true);
}

/** PMULL of 64 bits. */
export function emitPolynomial(
  guest: GuestFunction,
  { upper, rd, rn, rm }: Of<'vector-long'>,
): void {
  const { body } = guest;
  for (const register of [rn, rm]) {
    pushVector(guest, register);
    if (!upper) continue;
    pushVector(guest, register);
    body.shuffle(Array.from({ length: 16 }, (_, at) => 8 + (at % 8)));
  }
  body.simdZero();
  callVector(guest, tableIndex.polynomial);
  popVector(guest, rd, true);
}

export function emitShaThree(guest: GuestFunction, { op, rd, rn, rm }: Of<'sha-three'>): void {
  const { body } = guest;
  if (op === 'sha1su0') {
    // Words 2 to 5 of d and n, with those of d and m.
    pushVector(guest, rd);
    pushVector(guest, rn);
    body.shuffle(Array.from({ length: 16 }, (_, at) => at + 8));
    pushVector(guest, rd);
    body.simd(simdOp.xor);
    pushVector(guest, rm);
    body.simd(simdOp.xor);
  } else {
    // SHA256H2 has efgh in its destination.
    const [first, second] = op === 'sha256h2' ? [rn, rd] : [rd, rn];
    pushVector(guest, first);
    pushVector(guest, second);
    pushVector(guest, rm);
    callVector(guest, tableIndex[op]);
  }
  popVector(guest, rd, true);
}

/** Puts the vector on the stack with its words rotated to the right. */
function rotateWords(guest: GuestFunction, push: () => void, right: number): void {
  const { body } = guest;
  push();
  body.i32(right);
  body.simd(arithmeticOp('ushr', 2));
  push();
  body.i32(32 - right);
  body.simd(arithmeticOp('shl', 2));
  body.simd(simdOp.or);
}

export function emitShaTwo(guest: GuestFunction, { op, rd, rn }: Of<'sha-two'>): void {
  const { body } = guest;
  switch (op) {
    case 'sha1h':
      rotateWords(guest, () => pushVector(guest, rn), 2);
      body.simdConstant(0xffffffffn, 0n);
      body.simd(simdOp.and);
      break;
    case 'sha1su1': {
      // Words 1 to 3 of n and zero, with d; the last is mixed with the first, rotated by one more.
      const { quad, otherQuad } = local;
      pushVector(guest, rn);
      body.simdZero();
      body.shuffle(Array.from({ length: 16 }, (_, at) => at + 4));
      pushVector(guest, rd);
      body.simd(simdOp.xor);
      body.set(quad);
      rotateWords(guest, () => body.get(quad), 31);
      rotateWords(guest, () => body.get(quad), 30);
      body.set(otherQuad);
      body.simdZero();
      body.get(otherQuad);
      body.shuffle([...Array.from({ length: 12 }, () => 0), 16, 17, 18, 19]);
      body.simd(simdOp.xor);
      break;
    }
    case 'sha256su0': {
      // σ0 of the next word, added to each.
      const next = (): void => {
        pushVector(guest, rd);
        pushVector(guest, rn);
        body.shuffle(Array.from({ length: 16 }, (_, at) => at + 4));
      };
      pushVector(guest, rd);
      rotateWords(guest, next, 7);
      rotateWords(guest, next, 18);
      body.simd(simdOp.xor);
      next();
      body.i32(3);
      body.simd(arithmeticOp('ushr', 2));
      body.simd(simdOp.xor);
      body.simd(arithmeticOp('add', 2));
    }
  }
  popVector(guest, rd, true);
}

export function emitCrc32(
  guest: GuestFunction,
  { castagnoli, size, rd, rn, rm }: Extract<IntegerInstruction, { readonly kind: 'crc32' }>,
): void {
  const { body } = guest;
  pushRegister(guest, rn, false);
  pushRegister(guest, rm, true);
  body.i32(1 << size);
  body.i32(castagnoli ? checksumTable : 0);
  body.i32(tableIndex.crc32);
  body.callIndirect(functionTypes.crc32);
  popRegister(guest, rd, false);
}
