/** A decimal integer from 0 to 2^53-1, or undefined. */
export function parseInteger(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A decimal number from 0, without exponent and sign, or undefined. */
export function parseDecimal(text: string): number | undefined {
  return /^\d{1,15}(\.\d{0,15})?$/.test(text) ? Number(text) : undefined;
}

/** A decimal number that may be negative, or undefined. */
export function parseSignedDecimal(text: string): number | undefined {
  return /^[+-]?\d{1,15}(\.\d{0,15})?$/.test(text) ? Number(text) : undefined;
}
