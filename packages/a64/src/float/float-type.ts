import type { FloatWidth } from '../floating-instruction.ts';
import type { FloatEnvironment } from './float-environment.ts';

/** What an operation computes with. Numbers are the bits of their format. */
export interface FloatType {
  readonly width: FloatWidth;
  readonly env: FloatEnvironment;
}
