/** The low `bits` bits of a field as a signed number. */
export function signExtend(field: number, bits: number): number {
  return (field << (32 - bits)) >> (32 - bits);
}
