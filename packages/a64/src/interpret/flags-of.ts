import { flagsKind } from './flags-kind.ts';

/** N, Z, C, V as bits 3 to 0, from what translated code has left of them. */
export function flagsOf(
  kind: number,
  operands: { readonly a: bigint; readonly b: bigint },
): number {
  if (kind === flagsKind.float) return compareDoubles(operands);
  const wide = (kind & 1) === 1;
  const up = wide ? 0n : 32n;
  const a = BigInt.asUintN(64, operands.a << up);
  const b = BigInt.asUintN(64, operands.b << up);
  const base = wide ? kind : kind - 1;
  if (base === flagsKind.logical) return pack(a, false, false);
  const subtract = base === flagsKind.subtract;
  const result = BigInt.asUintN(64, subtract ? a - b : a + b);
  const carry = subtract ? a >= b : result < a;
  const overflow = BigInt.asIntN(
    64,
    subtract ? (a ^ b) & (a ^ result) : (a ^ result) & (b ^ result),
  );
  return pack(result, carry, overflow < 0n);
}

function pack(result: bigint, carry: boolean, overflow: boolean): number {
  const negative = result >> 63n === 1n;
  return (negative ? 8 : 0) | (result === 0n ? 4 : 0) | (carry ? 2 : 0) | (overflow ? 1 : 0);
}

function compareDoubles({ a, b }: { readonly a: bigint; readonly b: bigint }): number {
  const [x = 0, y = 0] = new Float64Array(BigUint64Array.of(a, b).buffer);
  if (x === y) return 0b0110;
  return x < y ? 0b1000 : 0b0010;
}
