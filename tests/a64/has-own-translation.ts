import type { EncodingClass } from '@tapline/a64';

const moves: ReadonlySet<string> = new Set([
  'Advanced SIMD scalar copy',
  'Advanced SIMD copy',
  'Advanced SIMD modified immediate',
  'Advanced SIMD three same',
  'Advanced SIMD scalar three same',
  'Advanced SIMD three different',
  'Advanced SIMD two-register miscellaneous',
  'Advanced SIMD shift by immediate',
  'Advanced SIMD permute',
  'Advanced SIMD extract',
  'Advanced SIMD table lookup',
  'Conversion between floating-point and integer',
  'Floating-point data-processing (1 source)',
  'Floating-point immediate',
  'Floating-point compare',
  'Floating-point data-processing (2 source)',
  'Floating-point data-processing (3 source)',
  'Floating-point conditional select',
  'Floating-point conditional compare',
  'System instructions',
  'Conversion between floating-point and fixed-point',
  'Advanced SIMD scalar two-register miscellaneous',
  'Advanced SIMD scalar pairwise',
  'Advanced SIMD across lanes',
  'Advanced SIMD vector x indexed element',
  'Advanced SIMD scalar x indexed element',
  'System register move',
  'Cryptographic AES',
  'Cryptographic three-register SHA',
  'Cryptographic two-register SHA',
]);

/** Classes of which translated code has some instructions written out. */
export function hasOwnTranslation({ name }: EncodingClass): boolean {
  if (moves.has(name)) return true;
  if (name.startsWith('Advanced SIMD load/store')) return true;
  return !/^(Advanced SIMD|Floating-point|Conversion|Cryptographic|System|Hints|Compare and swap pair|Load\/store exclusive pair)/.test(
    name,
  );
}

const coldVectors: ReadonlySet<string> = new Set([
  'Advanced SIMD modified immediate',
  'Conversion between floating-point and integer',
]);

/** Classes of which cold code has some that it does not leave to the interpreter. */
export function isDoneCold({ name }: EncodingClass): boolean {
  if (coldVectors.has(name)) return true;
  return !/^(Advanced SIMD|Floating-point|Conversion|Cryptographic|Atomic|Compare and swap)/.test(
    name,
  );
}
