import type { VectorInstruction } from '../vector-instruction.ts';
import type { Cpu } from './cpu.ts';
import type { Executors } from './executors.ts';
import { laneOperations, pairwiseOperations, type LaneFunction } from './lane-operations.ts';
import {
  longOperations,
  narrowHighOperations,
  wideOperations,
  type LongFunction,
} from './long-operations.ts';
import { oneLaneOperations } from './one-lane-operations.ts';
import { saturateSigned, saturateUnsigned } from './saturate.ts';
import { shiftNarrowOperations, shiftOperations } from './shift-operations.ts';

type IntegerVector = Extract<
  VectorInstruction,
  {
    readonly kind:
      | 'vector-lanes'
      | 'vector-pairwise'
      | 'vector-long'
      | 'vector-wide'
      | 'vector-narrow-high'
      | 'vector-one'
      | 'vector-add-long-pairs'
      | 'vector-narrow'
      | 'vector-shift-left-long'
      | 'vector-across'
      | 'vector-shift'
      | 'vector-shift-narrow'
      | 'vector-shift-long';
  }
>;

/** Integer operations on lanes. All operands are read before anything is written. */
export const vectorIntegerExecutors: Executors<IntegerVector> = {
  'vector-lanes': (instruction, cpu) => {
    const { op, size, rd, rn, rm, index } = instruction;
    const a = cpu.lanes(rn, instruction);
    const b = index === undefined ? cpu.lanes(rm, instruction) : cpu.lane(rm, size, index);
    const old = cpu.lanes(rd, instruction);
    cpu.setLanes(rd, size, combine({ a, b, old, bits: 8 << size }, laneOperations[op], cpu));
  },
  'vector-pairwise': (instruction, cpu) => {
    const { op, size, rd, rn, rm } = instruction;
    const all = [...cpu.lanes(rn, instruction), ...cpu.lanes(rm, instruction)];
    cpu.setLanes(rd, size, pairs(all, 8 << size, pairwiseOperations[op], cpu));
  },
  'vector-long': (instruction, cpu) => {
    const { op, size, lanes, rd, rm, index } = instruction;
    const operation = longOperations[op];
    const narrow = 8 << size;
    const a = halfOf(instruction, instruction.rn, cpu).map((lane) =>
      extended(lane, narrow, operation),
    );
    const b =
      index === undefined
        ? halfOf(instruction, rm, cpu).map((lane) => extended(lane, narrow, operation))
        : extended(cpu.lane(rm, size, index), narrow, operation);
    // PMULL of 64 bits has one lane of 128.
    if (size === 3) {
      const product = operation.compute(a[0] ?? 0n, Array.isArray(b) ? (b[0] ?? 0n) : b, {
        bits: 128,
        old: 0n,
        env: cpu,
      });
      cpu.setVector(rd, BigInt.asUintN(64, product), product >> 64n);
      return;
    }
    const old = cpu.lanes(rd, { size: size + 1, lanes });
    cpu.setLanes(rd, size + 1, combine({ a, b, old, bits: 2 * narrow }, operation.compute, cpu));
  },
  'vector-wide': (instruction, cpu) => {
    const { op, size, lanes, rd, rn, rm } = instruction;
    const operation = wideOperations[op];
    const bits = 16 << size;
    const a = cpu
      .lanes(rn, { size: size + 1, lanes })
      .map((lane) => extended(lane, bits, operation));
    const b = halfOf(instruction, rm, cpu).map((lane) => extended(lane, 8 << size, operation));
    cpu.setLanes(rd, size + 1, combine({ a, b, old: a, bits }, operation.compute, cpu));
  },
  'vector-narrow-high': (instruction, cpu) => {
    const { op, size, lanes, rd, rn, rm } = instruction;
    const { subtract, round } = narrowHighOperations[op];
    const wide = { size: size + 1, lanes };
    const b = cpu.lanes(rm, wide);
    const narrow = BigInt(8 << size);
    const rounding = round ? 1n << (narrow - 1n) : 0n;
    const values = cpu.lanes(rn, wide).map((a, at) => {
      const other = b[at] ?? 0n;
      return ((subtract ? a - other : a + other) + rounding) >> narrow;
    });
    cpu.setHalf(rd, instruction, values);
  },
  'vector-one': (instruction, cpu) => {
    const { op, size, rd, rn } = instruction;
    const operation = oneLaneOperations[op];
    const old = cpu.lanes(rd, instruction);
    const values = cpu
      .lanes(rn, instruction)
      .map((value, at) => operation(value, { bits: 8 << size, old: old[at] ?? 0n, env: cpu }));
    cpu.setLanes(rd, size, values);
  },
  'vector-add-long-pairs': (instruction, cpu) => {
    const { op, size, lanes, rd, rn } = instruction;
    const signed = op === 'saddlp' || op === 'sadalp';
    const accumulate = op === 'sadalp' || op === 'uadalp';
    const values = cpu
      .lanes(rn, instruction)
      .map((lane) => (signed ? BigInt.asIntN(8 << size, lane) : lane));
    const old = cpu.lanes(rd, { size: size + 1, lanes: lanes / 2 });
    const sums = old.map(
      (before, at) =>
        (accumulate ? before : 0n) + (values[2 * at] ?? 0n) + (values[2 * at + 1] ?? 0n),
    );
    cpu.setLanes(rd, size + 1, sums);
  },
  'vector-narrow': (instruction, cpu) => {
    const { op, size, lanes, rd, rn } = instruction;
    const bits = 8 << size;
    const values = cpu.lanes(rn, { size: size + 1, lanes }).map((value) => {
      const signed = BigInt.asIntN(2 * bits, value);
      switch (op) {
        case 'xtn':
          return value;
        case 'sqxtn':
          return saturateSigned(signed, bits, cpu);
        case 'uqxtn':
          return saturateUnsigned(value, bits, cpu);
        case 'sqxtun':
          return saturateUnsigned(signed, bits, cpu);
      }
    });
    cpu.setHalf(rd, instruction, values);
  },
  'vector-shift-left-long': (instruction, cpu) => {
    const { size, rd, rn } = instruction;
    const values = halfOf(instruction, rn, cpu).map((value) => value << BigInt(8 << size));
    cpu.setLanes(rd, size + 1, values);
  },
  'vector-across': (instruction, cpu) => {
    const { op, size, rd, rn } = instruction;
    const bits = 8 << size;
    const values = cpu.lanes(rn, instruction);
    if (op === 'saddlv' || op === 'uaddlv') {
      const signed = op === 'saddlv';
      let total = 0n;
      for (const value of values) total += signed ? BigInt.asIntN(bits, value) : value;
      cpu.setLanes(rd, size + 1, [total]);
      return;
    }
    const operations = {
      addv: laneOperations.add,
      smaxv: laneOperations.smax,
      umaxv: laneOperations.umax,
      sminv: laneOperations.smin,
      uminv: laneOperations.umin,
    };
    const operation = operations[op];
    const reduced = values.reduce((a, b) => operation(a, b, { bits, old: 0n, env: cpu }));
    cpu.setLanes(rd, size, [reduced]);
  },
  'vector-shift': (instruction, cpu) => {
    const { op, size, amount, rd, rn } = instruction;
    const operation = shiftOperations[op];
    const old = cpu.lanes(rd, instruction);
    const values = cpu
      .lanes(rn, instruction)
      .map((value, at) =>
        operation(value, BigInt(amount), { bits: 8 << size, old: old[at] ?? 0n, env: cpu }),
      );
    cpu.setLanes(rd, size, values);
  },
  'vector-shift-narrow': (instruction, cpu) => {
    const { op, size, lanes, amount, rd, rn } = instruction;
    const operation = shiftNarrowOperations[op];
    // A scalar is one lane, however narrow.
    const values = cpu
      .lanes(rn, { size: size + 1, lanes })
      .map((value) => operation(value, BigInt(amount), { bits: 8 << size, old: 0n, env: cpu }));
    cpu.setHalf(rd, instruction, values);
  },
  'vector-shift-long': (instruction, cpu) => {
    const { op, size, amount, rd, rn } = instruction;
    const values = halfOf(instruction, rn, cpu).map(
      (value) => (op === 'sshll' ? BigInt.asIntN(8 << size, value) : value) << BigInt(amount),
    );
    cpu.setLanes(rd, size + 1, values);
  },
};

/** The narrow lanes of the lower or upper half. */
function halfOf(
  shape: { readonly size: number; readonly lanes: number; readonly upper: boolean },
  register: number,
  cpu: Cpu,
): readonly bigint[] {
  const first = shape.upper ? 8 >> shape.size : 0;
  return Array.from({ length: shape.lanes }, (_, at) => cpu.lane(register, shape.size, first + at));
}

function extended(value: bigint, bits: number, { signed }: LongFunction): bigint {
  return signed ? BigInt.asIntN(bits, value) : value;
}

function combine(
  operands: {
    readonly a: readonly bigint[];
    readonly b: readonly bigint[] | bigint;
    readonly old: readonly bigint[];
    readonly bits: number;
  },
  operation: LaneFunction,
  cpu: Cpu,
): readonly bigint[] {
  const { a, b, old, bits } = operands;
  return a.map((value, at) =>
    operation(value, typeof b === 'bigint' ? b : (b[at] ?? 0n), {
      bits,
      old: old[at] ?? 0n,
      env: cpu,
    }),
  );
}

function pairs(
  values: readonly bigint[],
  bits: number,
  operation: LaneFunction,
  cpu: Cpu,
): readonly bigint[] {
  return Array.from({ length: values.length / 2 }, (_, at) =>
    operation(values[2 * at] ?? 0n, values[2 * at + 1] ?? 0n, { bits, old: 0n, env: cpu }),
  );
}
