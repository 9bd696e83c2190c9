import {
  floatAdd,
  floatDivide,
  floatMultiply,
  floatMultiplyAdd,
  floatSquareRoot,
  floatSubtract,
} from '../float/float-arithmetic.ts';
import { floatCompare, floatMost, floatMostNumber, type Order } from '../float/float-compare.ts';
import {
  convertFloat,
  floatToInteger,
  integerToFloat,
  roundToIntegral,
} from '../float/float-convert.ts';
import { floatFormats } from '../float/float-format.ts';
import type { FloatType } from '../float/float-type.ts';
import type { FloatingInstruction, FloatWidth } from '../floating-instruction.ts';
import { conditionHolds } from './condition-holds.ts';
import type { Cpu } from './cpu.ts';
import type { Executors } from './executors.ts';

type Of<Kind extends FloatingInstruction['kind']> = Extract<
  FloatingInstruction,
  { readonly kind: Kind }
>;

const orderFlags: Readonly<Record<Order, number>> = {
  less: 0b1000,
  equal: 0b0110,
  greater: 0b0010,
  unordered: 0b0011,
};

export const floatingExecutors: Executors<FloatingInstruction> = {
  'fp-one-source': ({ op, width, rd, rn }, cpu) => {
    const value = scalar(rn, width, cpu);
    const { signBit } = floatFormats[width];
    const results = {
      fmov: () => value,
      fabs: () => value & ~signBit,
      fneg: () => value ^ signBit,
      fsqrt: () => floatSquareRoot(value, { width, env: cpu }),
    };
    cpu.setVector(rd, results[op](), 0n);
  },
  'fp-convert-precision': ({ from, to, rd, rn }, cpu) => {
    const value = scalar(rn, from, cpu);
    cpu.setVector(rd, convertFloat(value, { width: from, to, env: cpu }), 0n);
  },
  'fp-round': ({ width, rounding, exact, rd, rn }, cpu) => {
    const value = scalar(rn, width, cpu);
    cpu.setVector(rd, roundToIntegral(value, { width, env: cpu, rounding, exact }), 0n);
  },
  'fp-two-source': (instruction, cpu) => {
    const { width, rd, rn, rm } = instruction;
    const [a, b] = [scalar(rn, width, cpu), scalar(rm, width, cpu)];
    cpu.setVector(rd, twoSource(instruction.op, { a, b }, { width, env: cpu }), 0n);
  },
  'fp-three-source': ({ op, width, rd, rn, rm, ra }, cpu) => {
    const { signBit } = floatFormats[width];
    const [n, m, a] = [scalar(rn, width, cpu), scalar(rm, width, cpu), scalar(ra, width, cpu)];
    const negateProduct = op === 'fmsub' || op === 'fnmadd';
    const negateAddend = op === 'fnmadd' || op === 'fnmsub';
    const operands = {
      addend: negateAddend ? a ^ signBit : a,
      n: negateProduct ? n ^ signBit : n,
      m,
    };
    cpu.setVector(rd, floatMultiplyAdd(operands, { width, env: cpu }), 0n);
  },
  'fp-compare': ({ op, width, rn, rm }, cpu) => {
    const b = rm === undefined ? 0n : scalar(rm, width, cpu);
    cpu.nzcv = compare({ a: scalar(rn, width, cpu), b, signalling: op === 'fcmpe', width }, cpu);
  },
  'fp-conditional-compare': ({ op, width, rn, rm, condition, nzcv }, cpu) => {
    const [a, b] = [scalar(rn, width, cpu), scalar(rm, width, cpu)];
    cpu.nzcv = conditionHolds(condition, cpu.nzcv)
      ? compare({ a, b, signalling: op === 'fccmpe', width }, cpu)
      : nzcv;
  },
  'fp-conditional-select': ({ width, rd, rn, rm, condition }, cpu) => {
    const chosen = conditionHolds(condition, cpu.nzcv) ? rn : rm;
    cpu.setVector(rd, scalar(chosen, width, cpu), 0n);
  },
  'fp-immediate': ({ rd, bits }, cpu) => cpu.setVector(rd, bits, 0n),
  'fp-to-integer': ({ width, wide, signed, rounding, fractionBits, rd, rn }, cpu) => {
    const how = { bits: wide ? 64 : 32, signed, rounding, fractionBits };
    cpu.setX(rd, floatToInteger(scalar(rn, width, cpu), { width, env: cpu, ...how }));
  },
  'integer-to-fp': ({ width, wide, signed, fractionBits, rd, rn }, cpu) => {
    const bits = wide ? 64 : 32;
    const value = cpu.general(rn, wide);
    const integer = signed ? BigInt.asIntN(bits, value) : value;
    cpu.setVector(rd, integerToFloat(integer, { width, env: cpu, fractionBits }), 0n);
  },
  'fp-move-general': moveGeneral,
};

function scalar(register: number, width: FloatWidth, cpu: Cpu): bigint {
  return cpu.lane(register, width === 64 ? 3 : width === 32 ? 2 : 1, 0);
}

function compare(
  what: {
    readonly a: bigint;
    readonly b: bigint;
    readonly signalling: boolean;
    readonly width: FloatWidth;
  },
  cpu: Cpu,
): number {
  const { a, b, signalling, width } = what;
  return orderFlags[floatCompare(a, b, { width, env: cpu, signalling })];
}

function twoSource(
  op: Of<'fp-two-source'>['op'],
  { a, b }: { readonly a: bigint; readonly b: bigint },
  type: FloatType,
): bigint {
  switch (op) {
    case 'fmul':
      return floatMultiply(a, b, type);
    case 'fdiv':
      return floatDivide(a, b, type);
    case 'fadd':
      return floatAdd(a, b, type);
    case 'fsub':
      return floatSubtract(a, b, type);
    case 'fmax':
      return floatMost(a, b, { ...type, most: true });
    case 'fmin':
      return floatMost(a, b, { ...type, most: false });
    case 'fmaxnm':
      return floatMostNumber(a, b, { ...type, most: true });
    case 'fminnm':
      return floatMostNumber(a, b, { ...type, most: false });
    case 'fnmul':
      return floatMultiply(a, b, type) ^ floatFormats[type.width].signBit;
  }
}

function moveGeneral({ toGeneral, width, upper, rd, rn }: Of<'fp-move-general'>, cpu: Cpu): void {
  const size = width === 64 ? 3 : 2;
  const index = upper ? 1 : 0;
  if (toGeneral) cpu.setX(rd, cpu.lane(rn, size, index));
  else if (upper) cpu.setLane(rd, { size, index }, cpu.x(rn));
  else cpu.setVector(rd, cpu.general(rn, width === 64), 0n);
}
