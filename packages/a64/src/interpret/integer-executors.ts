import type { IntegerInstruction } from '../integer-instruction.ts';
import { bitLength } from '../float/bit-length.ts';
import { conditionHolds } from './condition-holds.ts';
import type { Cpu } from './cpu.ts';
import { crc32 } from './crc32.ts';
import type { Executors } from './executors.ts';
import {
  addWithCarry,
  extend,
  logicalFlags,
  reverseBits,
  reverseBytes,
  rotateRight,
  shiftBy,
} from './integer-arithmetic.ts';

type Kinds =
  | 'add-sub-immediate'
  | 'add-sub-shifted'
  | 'add-sub-extended'
  | 'add-sub-carry'
  | 'logical-immediate'
  | 'logical-shifted'
  | 'move-wide'
  | 'pc-relative'
  | 'bitfield'
  | 'extract'
  | 'conditional-compare'
  | 'conditional-select'
  | 'one-source'
  | 'two-source'
  | 'crc32'
  | 'three-source';
type DataProcessing = Extract<IntegerInstruction, { readonly kind: Kinds }>;
type Of<Kind extends Kinds> = Extract<DataProcessing, { readonly kind: Kind }>;

export const integerExecutors: Executors<DataProcessing> = {
  'add-sub-immediate': (instruction, cpu) => addSubtract(instruction, BigInt(instruction.imm), cpu),
  'add-sub-shifted': (instruction, cpu) => addSubtract(instruction, shifted(instruction, cpu), cpu),
  'add-sub-extended': (instruction, cpu) => {
    const { rm, amount, wide } = instruction;
    const value = extend(cpu.x(rm), instruction.extend) << BigInt(amount);
    addSubtract(instruction, BigInt.asUintN(wide ? 64 : 32, value), cpu);
  },
  'add-sub-carry': ({ wide, subtract, setFlags, rd, rn, rm }, cpu) => {
    const bits = wide ? 64 : 32;
    const b = cpu.general(rm, wide);
    const carry = BigInt((cpu.nzcv >> 1) & 1);
    const operand = subtract ? BigInt.asUintN(bits, ~b) : b;
    const { result, nzcv } = addWithCarry(cpu.general(rn, wide), operand, { carry, bits });
    if (setFlags) cpu.nzcv = nzcv;
    cpu.setX(rd, result);
  },
  'logical-immediate': (instruction, cpu) => logical(instruction, instruction.imm, cpu),
  'logical-shifted': (instruction, cpu) => {
    const value = shifted(instruction, cpu);
    const bits = instruction.wide ? 64 : 32;
    logical(instruction, instruction.invert ? BigInt.asUintN(bits, ~value) : value, cpu);
  },
  'move-wide': ({ op, wide, rd, imm, shift }, cpu) => {
    const value = BigInt(imm) << BigInt(shift);
    if (op === 'movk') {
      const kept = cpu.x(rd) & ~(0xffffn << BigInt(shift));
      cpu.setGeneral(rd, kept | value, wide);
    } else cpu.setGeneral(rd, op === 'movn' ? ~value : value, wide);
  },
  'pc-relative': ({ op, rd, offset }, cpu) => {
    const base = op === 'adrp' ? cpu.pc & ~0xfffn : cpu.pc;
    cpu.setX(rd, base + BigInt(offset));
  },
  bitfield: (instruction, cpu) =>
    cpu.setGeneral(instruction.rd, bitfield(instruction, cpu), instruction.wide),
  extract: ({ wide, rd, rn, rm, lsb }, cpu) => {
    const bits = wide ? 64n : 32n;
    const joined = (cpu.general(rn, wide) << bits) | cpu.general(rm, wide);
    cpu.setGeneral(rd, joined >> BigInt(lsb), wide);
  },
  'conditional-compare': ({ op, wide, rn, rm, imm, condition, nzcv }, cpu) => {
    if (!conditionHolds(condition, cpu.nzcv)) {
      cpu.nzcv = nzcv;
      return;
    }
    const bits = wide ? 64 : 32;
    const b = rm === undefined ? BigInt(imm) : cpu.general(rm, wide);
    const subtract = op === 'ccmp';
    cpu.nzcv = addWithCarry(cpu.general(rn, wide), subtract ? BigInt.asUintN(bits, ~b) : b, {
      carry: subtract ? 1n : 0n,
      bits,
    }).nzcv;
  },
  'conditional-select': ({ op, wide, rd, rn, rm, condition }, cpu) => {
    if (conditionHolds(condition, cpu.nzcv)) cpu.setX(rd, cpu.general(rn, wide));
    else cpu.setGeneral(rd, otherwise(op, cpu.x(rm)), wide);
  },
  'one-source': ({ op, wide, rd, rn }, cpu) => {
    cpu.setX(rd, oneSource(op, cpu.general(rn, wide), wide ? 64 : 32));
  },
  'two-source': ({ op, wide, rd, rn, rm }, cpu) => {
    const operands = { a: cpu.general(rn, wide), b: cpu.general(rm, wide), bits: wide ? 64 : 32 };
    cpu.setX(rd, twoSource(op, operands));
  },
  crc32: ({ castagnoli, size, rd, rn, rm }, cpu) => {
    cpu.setX(rd, crc32(cpu.x(rn), cpu.x(rm), { bytes: 1 << size, castagnoli }));
  },
  'three-source': (instruction, cpu) => {
    cpu.setGeneral(instruction.rd, threeSource(instruction, cpu), instruction.wide);
  },
};

function shifted(
  { rm, wide, shift, amount }: Of<'add-sub-shifted' | 'logical-shifted'>,
  cpu: Cpu,
): bigint {
  return shiftBy(cpu.general(rm, wide), { type: shift, amount, bits: wide ? 64 : 32 });
}

function addSubtract(
  {
    wide,
    subtract,
    setFlags,
    rd,
    rn,
  }: Of<'add-sub-immediate' | 'add-sub-shifted' | 'add-sub-extended'>,
  operand: bigint,
  cpu: Cpu,
): void {
  const a = cpu.general(rn, wide);
  if (!setFlags) {
    cpu.setGeneral(rd, subtract ? a - operand : a + operand, wide);
    return;
  }
  const bits = wide ? 64 : 32;
  const b = subtract ? BigInt.asUintN(bits, ~operand) : operand;
  const { result, nzcv } = addWithCarry(a, b, { carry: subtract ? 1n : 0n, bits });
  cpu.nzcv = nzcv;
  cpu.setX(rd, result);
}

function logical(
  { operation, wide, setFlags, rd, rn }: Of<'logical-immediate' | 'logical-shifted'>,
  b: bigint,
  cpu: Cpu,
): void {
  const a = cpu.general(rn, wide);
  const result = operation === 'and' ? a & b : operation === 'orr' ? a | b : a ^ b;
  if (setFlags) cpu.nzcv = logicalFlags(result, wide ? 64 : 32);
  cpu.setX(rd, result);
}

/** SBFM, BFM, UBFM: a field to the bottom, or the bottom to a field. */
function bitfield({ op, wide, rd, rn, immr, imms }: Of<'bitfield'>, cpu: Cpu): bigint {
  const bits = wide ? 64 : 32;
  const source = cpu.general(rn, wide);
  const down = imms >= immr;
  const width = down ? imms - immr + 1 : imms + 1;
  const position = BigInt(down ? 0 : bits - immr);
  const field = BigInt.asUintN(width, down ? source >> BigInt(immr) : source);
  if (op === 'ubfm') return field << position;
  if (op === 'sbfm') return BigInt.asIntN(width, field) << position;
  const mask = ((1n << BigInt(width)) - 1n) << position;
  return (cpu.x(rd) & ~mask) | (field << position);
}

function otherwise(op: Of<'conditional-select'>['op'], value: bigint): bigint {
  switch (op) {
    case 'csel':
      return value;
    case 'csinc':
      return value + 1n;
    case 'csinv':
      return ~value;
    case 'csneg':
      return -value;
  }
}

function oneSource(op: Of<'one-source'>['op'], value: bigint, bits: number): bigint {
  switch (op) {
    case 'rbit':
      return reverseBits(value, bits);
    case 'rev16':
      return reverseBytes(value, 16, bits);
    case 'rev32':
      return reverseBytes(value, 32, bits);
    case 'rev':
      return reverseBytes(value, bits, bits);
    case 'clz':
      return BigInt(bits - bitLength(value));
    case 'cls': {
      const signed = BigInt.asIntN(bits, value);
      return BigInt(bits - 1 - bitLength(signed < 0n ? ~signed : signed));
    }
  }
}

function twoSource(
  op: Of<'two-source'>['op'],
  { a, b, bits }: { readonly a: bigint; readonly b: bigint; readonly bits: number },
): bigint {
  const amount = Number(b % BigInt(bits));
  switch (op) {
    case 'udiv':
      return b === 0n ? 0n : a / b;
    case 'sdiv': {
      const quotient = b === 0n ? 0n : BigInt.asIntN(bits, a) / BigInt.asIntN(bits, b);
      return BigInt.asUintN(bits, quotient);
    }
    case 'lslv':
      return shiftBy(a, { type: 0, amount, bits });
    case 'lsrv':
      return shiftBy(a, { type: 1, amount, bits });
    case 'asrv':
      return shiftBy(a, { type: 2, amount, bits });
    case 'rorv':
      return rotateRight(a, amount, bits);
  }
}

function threeSource({ op, rn, rm, ra }: Of<'three-source'>, cpu: Cpu): bigint {
  const a = cpu.x(rn);
  const b = cpu.x(rm);
  const addend = cpu.x(ra);
  switch (op) {
    case 'madd':
      return addend + a * b;
    case 'msub':
      return addend - a * b;
    case 'smaddl':
      return addend + BigInt.asIntN(32, a) * BigInt.asIntN(32, b);
    case 'smsubl':
      return addend - BigInt.asIntN(32, a) * BigInt.asIntN(32, b);
    case 'umaddl':
      return addend + BigInt.asUintN(32, a) * BigInt.asUintN(32, b);
    case 'umsubl':
      return addend - BigInt.asUintN(32, a) * BigInt.asUintN(32, b);
    case 'smulh':
      return (BigInt.asIntN(64, a) * BigInt.asIntN(64, b)) >> 64n;
    case 'umulh':
      return (a * b) >> 64n;
  }
}
