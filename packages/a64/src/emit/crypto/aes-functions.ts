import { inverseSubstitution, substitution } from '../../interpret/aes.ts';
import { FunctionBody } from '../function-body.ts';
import { valueType, simdOp } from '../wasm.ts';

/**
 * (state, key, anything) → AESE or AESD: the key is added, rows are shifted, and each byte is replaced
 * from a table, sixteen of its 256 entries at a time. What is beyond those gives zero.
 */
export function aesFunction(op: 'aese' | 'aesd'): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 3);
  const index = body.addLocal(valueType.v128);
  const direction = op === 'aese' ? 1 : -1;
  const table = op === 'aese' ? substitution : inverseSubstitution;
  body.get(0);
  body.get(1);
  body.simd(simdOp.xor);
  body.set(index);
  // Byte n is row n % 4 of column n / 4.
  const rows = Array.from({ length: 16 }, (_, at) => (at + direction * 4 * (at % 4) + 16) % 16);
  body.get(index);
  body.get(index);
  body.shuffle(rows);
  body.set(index);
  for (let first = 0; first < 256; first += 16) {
    const part = new BigUint64Array(table.slice(first, first + 16).buffer);
    body.simdConstant(part[0] ?? 0n, part[1] ?? 0n);
    body.get(index);
    body.simd(simdOp.swizzle);
    if (first > 0) body.simd(simdOp.or);
    if (first === 240) continue;
    body.get(index);
    body.simdConstant(0x1010101010101010n, 0x1010101010101010n);
    body.simd(simdOp.i8x16Sub);
    body.set(index);
  }
  return body.encode();
}

/** (state, anything, anything) → AESMC or AESIMC: each column times a polynomial. */
export function aesMixFunction(inverse: boolean): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 3);
  const state = 0;
  const doubled = 1;
  /** Each byte is the one `by` rows further on in its column. */
  const row = (of: number, by: number): void => {
    body.get(of);
    body.get(of);
    body.shuffle(Array.from({ length: 16 }, (_, at) => at - (at % 4) + ((at + by) % 4)));
  };
  /** In GF(2^8), of what is in a local. */
  const double = (of: number): void => {
    body.get(of);
    body.get(of);
    body.simd(simdOp.i8x16Add);
    body.get(of);
    body.i32(7);
    body.simd(simdOp.i8x16ShrS);
    body.simdConstant(0x1b1b1b1b1b1b1b1bn, 0x1b1b1b1b1b1b1b1bn);
    body.simd(simdOp.and);
    body.simd(simdOp.xor);
  };
  if (inverse) {
    // (14, 11, 13, 9) is (2, 3, 1, 1) times (5, 0, 4, 0).
    body.get(state);
    row(state, 2);
    body.simd(simdOp.xor);
    body.set(doubled);
    double(doubled);
    body.set(doubled);
    double(doubled);
    body.get(state);
    body.simd(simdOp.xor);
    body.set(state);
  }
  double(state);
  body.set(doubled);
  body.get(doubled);
  row(doubled, 1);
  for (const by of [1, 2, 3]) {
    row(state, by);
    body.simd(simdOp.xor);
  }
  body.simd(simdOp.xor);
  return body.encode();
}
