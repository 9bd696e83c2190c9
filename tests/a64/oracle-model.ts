import type { EncodingClass } from '@tapline/a64';
import type { ProcessorModel } from './run-oracle.ts';

const largeSystemExtensions: ReadonlySet<string> = new Set([
  'Atomic memory operations',
  'Compare and swap',
  'Compare and swap pair',
]);

/** The processor that has just what we have of a class. */
export function oracleModel({ name }: EncodingClass): ProcessorModel {
  return largeSystemExtensions.has(name) ? 'neoverse-n1' : 'cortex-a57';
}
