import { FunctionBody } from '../function-body.ts';
import { simdOp, valueType, wasmOp } from '../wasm.ts';

/** Every fourth bit, from the lowest on: products of such numbers do not carry into each other. */
const holes = 0x1111111111111111n;

/**
 * (a, b, anything) → the product of the lowest lanes of 64 bits as polynomials over {0, 1}, of 128 bits.
 * Ordinary products of numbers with three zeros between bits keep the sums apart; the upper half is
 * that of the numbers the other way round (Pornin, BearSSL, "ghash_ctmul64").
 */
export function polynomialFunction(): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 3);
  const low = body.addLocal(valueType.i64);
  const operands = [0, 1].map((parameter) => {
    body.get(parameter);
    body.simdLane(simdOp.i64x2Extract, 0);
    const to = body.addLocal(valueType.i64);
    body.set(to);
    return to;
  });
  writeLowProduct(body, operands);
  body.set(low);
  for (const operand of operands) writeReversed(body, operand);
  const high = operands[0] ?? 0;
  writeLowProduct(body, operands);
  body.set(high);
  writeReversed(body, high);
  body.simdZero();
  body.get(low);
  body.simdLane(simdOp.i64x2Replace, 0);
  body.get(high);
  body.i64(1n);
  body.op(wasmOp.i64ShrU);
  body.simdLane(simdOp.i64x2Replace, 1);
  return body.encode();
}

/** Puts the low 64 bits of the product on the stack. */
function writeLowProduct(body: FunctionBody, [a = 0, b = 0]: readonly number[]): void {
  const part = (of: number, at: number): void => {
    body.get(of);
    body.i64(holes << BigInt(at));
    body.op(wasmOp.i64And);
  };
  for (let sum = 0; sum < 4; sum++) {
    for (let at = 0; at < 4; at++) {
      part(a, at);
      part(b, (sum - at + 4) % 4);
      body.op(wasmOp.i64Mul);
      if (at > 0) body.op(wasmOp.i64Xor);
    }
    body.i64(holes << BigInt(sum));
    body.op(wasmOp.i64And);
    if (sum > 0) body.op(wasmOp.i64Or);
  }
}

/** Has a local be its bits, the other way round. */
function writeReversed(body: FunctionBody, of: number): void {
  for (const [mask, by] of [
    [0x5555555555555555n, 1n],
    [0x3333333333333333n, 2n],
    [0x0f0f0f0f0f0f0f0fn, 4n],
  ] as const) {
    body.get(of);
    body.i64(by);
    body.op(wasmOp.i64ShrU);
    body.i64(mask);
    body.op(wasmOp.i64And);
    body.get(of);
    body.i64(mask);
    body.op(wasmOp.i64And);
    body.i64(by);
    body.op(wasmOp.i64Shl, wasmOp.i64Or);
    body.set(of);
  }
  body.get(of);
  body.simd(simdOp.i64x2Splat);
  body.get(of);
  body.simd(simdOp.i64x2Splat);
  body.shuffle(Array.from({ length: 16 }, (_, at) => 7 - (at % 8)));
  body.simdLane(simdOp.i64x2Extract, 0);
  body.set(of);
}
