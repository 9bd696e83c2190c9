/** The product of polynomials over {0, 1}: a multiplication that does not carry. */
export function polynomialProduct(a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let shifted = a, rest = b; rest !== 0n; shifted <<= 1n, rest >>= 1n) {
    if ((rest & 1n) === 1n) product ^= shifted;
  }
  return product;
}
