import { branchesAndSystem } from './branches-and-system.ts';
import { cryptography } from './cryptography.ts';
import { dataProcessingImmediate } from './data-processing-immediate.ts';
import { dataProcessingRegister } from './data-processing-register.ts';
import type { EncodingClass } from './encoding-class.ts';
import { exclusivesAndAtomics } from './exclusives-and-atomics.ts';
import { floatingPoint } from './floating-point.ts';
import { loadsAndStores } from './loads-and-stores.ts';
import { vectorAcrossLanes } from './vector-across-lanes.ts';
import { vectorIndexed } from './vector-indexed.ts';
import { vectorLoadsAndStores } from './vector-loads-and-stores.ts';
import { vectorMoves } from './vector-moves.ts';
import { vectorShifts } from './vector-shifts.ts';
import { vectorThreeDifferent } from './vector-three-different.ts';
import { vectorThreeSame } from './vector-three-same.ts';
import { vectorTwoRegister } from './vector-two-register.ts';

/**
 * All classes of A64 in Armv8.0 user mode, LSE, CRC32, AES, SHA and PMULL. A word belongs to the
 * first whose layout it has: modified immediates come before the shifts that they are carved from.
 */
export const encodingClasses: readonly EncodingClass[] = [
  ...dataProcessingImmediate,
  ...branchesAndSystem,
  ...loadsAndStores,
  ...exclusivesAndAtomics,
  ...vectorLoadsAndStores,
  ...dataProcessingRegister,
  ...cryptography,
  ...vectorMoves,
  ...vectorThreeSame,
  ...vectorThreeDifferent,
  ...vectorTwoRegister,
  ...vectorAcrossLanes,
  ...vectorShifts,
  ...vectorIndexed,
  ...floatingPoint,
];
