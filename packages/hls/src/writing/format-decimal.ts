/** A number of at least a nanosecond in decimal, without an exponent. */
export function formatDecimal(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(9).replace(/\.?0+$/, '') : text;
}
