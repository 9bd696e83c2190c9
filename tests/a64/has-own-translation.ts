import type { EncodingClass } from '@tapline/a64';

/** Classes of which translated code has some instructions written out. */
export function hasOwnTranslation({ name }: EncodingClass): boolean {
  return !/^(Advanced SIMD|Floating-point|Conversion|Cryptographic|System|Hints|Compare and swap|Atomic|Load\/store exclusive)/.test(
    name,
  );
}
