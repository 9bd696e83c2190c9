import type { Transfer } from '../memory-instruction.ts';

const suffixes = ['b', 'h', '', ''] as const;

/**
 * The access that size, V and opc of a load or store of one register say; `prefetch` for PRFM,
 * undefined where they are unallocated. `stem` is what its mnemonics have in place of `r`.
 */
export function transfer(
  fields: { readonly size: number; readonly V: number; readonly opc: number },
  stem: 'r' | 'ur' | 'tr',
): Transfer | 'prefetch' | undefined {
  const { size, V, opc } = fields;
  if (V === 1) {
    const quad = opc >= 2;
    if (quad && size !== 0) return undefined;
    const load = (opc & 1) === 1;
    return {
      op: `${load ? 'ld' : 'st'}${stem}`,
      load,
      vector: true,
      size: quad ? 4 : size,
      signed: false,
      wide: false,
    };
  }
  if (opc >= 2 && size === 3) return opc === 2 ? 'prefetch' : undefined;
  if (opc === 3 && size === 2) return undefined;
  const load = opc !== 0;
  const signed = opc >= 2;
  const suffix = signed && size === 2 ? 'w' : suffixes[size];
  return {
    op: `${load ? 'ld' : 'st'}${stem}${signed ? 's' : ''}${suffix}`,
    load,
    vector: false,
    size,
    signed,
    wide: size === 3 || opc === 2,
  };
}
