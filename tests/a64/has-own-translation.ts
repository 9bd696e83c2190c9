import type { EncodingClass } from '@tapline/a64';

const moves: ReadonlySet<string> = new Set([
  'Advanced SIMD scalar copy',
  'Advanced SIMD copy',
  'Advanced SIMD modified immediate',
  'Advanced SIMD three same',
  'Conversion between floating-point and integer',
  'Floating-point data-processing (1 source)',
  'Floating-point immediate',
  'Floating-point compare',
  'Floating-point data-processing (2 source)',
  'Floating-point conditional select',
  'System register move',
]);

/** Classes of which translated code has some instructions written out. */
export function hasOwnTranslation({ name }: EncodingClass): boolean {
  if (moves.has(name)) return true;
  return !/^(Advanced SIMD|Floating-point|Conversion|Cryptographic|System|Hints|Compare and swap|Atomic|Load\/store exclusive)/.test(
    name,
  );
}
