import {
  convertFloat,
  floatToInteger,
  integerToFloat,
  roundToIntegral,
} from '../float/float-convert.ts';
import type { FloatType } from '../float/float-type.ts';
import type { FloatWidth } from '../floating-instruction.ts';
import type { VectorInstruction } from '../vector-instruction.ts';
import type { Cpu } from './cpu.ts';
import type { Executors } from './executors.ts';
import {
  floatAcrossOperations,
  floatLaneOperations,
  floatOneLaneOperations,
  floatPairwiseOperations,
  type FloatFunction,
} from './float-lane-operations.ts';

type FloatVector = Extract<
  VectorInstruction,
  {
    readonly kind:
      | 'vector-fp-lanes'
      | 'vector-fp-pairwise'
      | 'vector-fp-one'
      | 'vector-fp-round'
      | 'vector-fp-to-integer'
      | 'vector-integer-to-fp'
      | 'vector-fp-narrow'
      | 'vector-fp-long'
      | 'vector-fp-across'
      | 'scalar-pairwise';
  }
>;

/** Floating-point operations on lanes. All operands are read before anything is written. */
export const vectorFloatExecutors: Executors<FloatVector> = {
  'vector-fp-lanes': (instruction, cpu) => {
    const { op, size, rd, rn, rm, index } = instruction;
    const operation = floatLaneOperations[op];
    const type = typeOf(size, cpu);
    const old = cpu.lanes(rd, instruction);
    const b = index === undefined ? cpu.lanes(rm, instruction) : cpu.lane(rm, size, index);
    const values = cpu
      .lanes(rn, instruction)
      .map((a, at) => operation(a, typeof b === 'bigint' ? b : (b[at] ?? 0n), type, old[at] ?? 0n));
    cpu.setLanes(rd, size, values);
  },
  'vector-fp-pairwise': (instruction, cpu) => {
    const { op, size, rd, rn, rm } = instruction;
    const all = [...cpu.lanes(rn, instruction), ...cpu.lanes(rm, instruction)];
    cpu.setLanes(rd, size, pairs(all, floatPairwiseOperations[op], typeOf(size, cpu)));
  },
  'vector-fp-one': (instruction, cpu) => {
    const { op, size, rd, rn } = instruction;
    const type = typeOf(size, cpu);
    const operation = floatOneLaneOperations[op];
    const values = cpu.lanes(rn, instruction).map((value) => operation(value, type));
    cpu.setLanes(rd, size, values);
  },
  'vector-fp-round': (instruction, cpu) => {
    const { size, rounding, exact, rd, rn } = instruction;
    const how = { ...typeOf(size, cpu), rounding, exact };
    const values = cpu.lanes(rn, instruction).map((value) => roundToIntegral(value, how));
    cpu.setLanes(rd, size, values);
  },
  'vector-fp-to-integer': (instruction, cpu) => {
    const { size, signed, rounding, fractionBits, rd, rn } = instruction;
    const how = { ...typeOf(size, cpu), bits: 8 << size, signed, rounding, fractionBits };
    const values = cpu.lanes(rn, instruction).map((value) => floatToInteger(value, how));
    cpu.setLanes(rd, size, values);
  },
  'vector-integer-to-fp': (instruction, cpu) => {
    const { size, signed, fractionBits, rd, rn } = instruction;
    const how = { ...typeOf(size, cpu), fractionBits };
    const values = cpu
      .lanes(rn, instruction)
      .map((value) => integerToFloat(signed ? BigInt.asIntN(8 << size, value) : value, how));
    cpu.setLanes(rd, size, values);
  },
  'vector-fp-narrow': (instruction, cpu) => {
    const { op, to, size, lanes, rd, rn } = instruction;
    const how = {
      ...typeOf(size + 1, cpu),
      to,
      ...(op === 'fcvtxn' && { rounding: 'odd' as const }),
    };
    const values = cpu
      .lanes(rn, { size: size + 1, lanes })
      .map((value) => convertFloat(value, how));
    cpu.setHalf(rd, instruction, values);
  },
  'vector-fp-long': ({ from, size, lanes, upper, rd, rn }, cpu) => {
    const first = upper ? lanes : 0;
    const to: FloatWidth = from === 16 ? 32 : 64;
    const values = Array.from({ length: lanes }, (_, at) =>
      convertFloat(cpu.lane(rn, size, first + at), { width: from, to, env: cpu }),
    );
    cpu.setLanes(rd, size + 1, values);
  },
  'vector-fp-across': (instruction, cpu) => {
    const { op, size, rd, rn } = instruction;
    const type = typeOf(size, cpu);
    let values: readonly bigint[] = cpu.lanes(rn, instruction);
    // Neighbours first: it decides which of several NaNs comes out.
    while (values.length > 1) values = pairs(values, floatAcrossOperations[op], type);
    cpu.setLanes(rd, size, values);
  },
  'scalar-pairwise': ({ op, size, rd, rn }, cpu) => {
    const [a, b] = [cpu.lane(rn, size, 0), cpu.lane(rn, size, 1)];
    const result = op === 'addp' ? a + b : floatPairwiseOperations[op](a, b, typeOf(size, cpu), 0n);
    cpu.setLanes(rd, size, [result]);
  },
};

function typeOf(size: number, cpu: Cpu): FloatType {
  return { width: size === 3 ? 64 : size === 2 ? 32 : 16, env: cpu };
}

function pairs(
  values: readonly bigint[],
  operation: FloatFunction,
  type: FloatType,
): readonly bigint[] {
  return Array.from({ length: values.length / 2 }, (_, at) =>
    operation(values[2 * at] ?? 0n, values[2 * at + 1] ?? 0n, type, 0n),
  );
}
