import type { AtomicOperation, MemoryInstruction, Transfer } from '../memory-instruction.ts';
import type { Cpu } from './cpu.ts';
import type { Executors } from './executors.ts';
import { extend } from './integer-arithmetic.ts';
import { pagePermission } from './linear-memory.ts';
import { structureExecutors } from './structure-executors.ts';

type Of<Kind extends MemoryInstruction['kind']> = Extract<
  MemoryInstruction,
  { readonly kind: Kind }
>;

export const memoryExecutors: Executors<MemoryInstruction> = {
  'load-store-immediate': (instruction, cpu) => {
    const { rt, rn, offset, indexing } = instruction;
    const base = cpu.x(rn);
    const moved = BigInt.asUintN(64, base + BigInt(offset));
    // The value is read before the base is written back, which may be the same register.
    transfer(instruction, { registers: [rt], address: indexing === 'post' ? base : moved }, cpu);
    if (indexing !== 'offset') cpu.setX(rn, moved);
  },
  'load-store-register': (instruction, cpu) => {
    const { rt, rn, rm, amount } = instruction;
    const offset = extend(cpu.x(rm), instruction.extend) << BigInt(amount);
    const address = BigInt.asUintN(64, cpu.x(rn) + offset);
    transfer(instruction, { registers: [rt], address }, cpu);
  },
  'load-literal': (instruction, cpu) => {
    const address = BigInt.asUintN(64, cpu.pc + BigInt(instruction.offset));
    transfer(instruction, { registers: [instruction.rt], address }, cpu);
  },
  'load-store-pair': (instruction, cpu) => {
    const { rt, rt2, rn, offset, indexing } = instruction;
    const base = cpu.x(rn);
    const moved = BigInt.asUintN(64, base + BigInt(offset));
    const address = indexing === 'post' ? base : moved;
    transfer(instruction, { registers: [rt, rt2], address }, cpu);
    if (indexing !== 'offset') cpu.setX(rn, moved);
  },
  'load-store-exclusive': (instruction, cpu) => {
    if (instruction.load) loadExclusive(instruction, cpu);
    else storeExclusive(instruction, cpu);
  },
  'load-store-ordered': ({ load, size, rt, rn }, cpu) => {
    const address = cpu.x(rn);
    const access = { op: '', load, vector: false, size, signed: false, wide: size === 3 };
    transfer(access, { registers: [rt], address }, cpu);
  },
  'compare-and-swap': compareAndSwap,
  atomic: ({ operation, size, rs, rt, rn }, cpu) => {
    const permission = pagePermission.write;
    const at = cpu.memory.resolve(cpu.x(rn), { length: 1 << size, permission });
    const old = cpu.memory.read(at, size);
    const operand = BigInt.asUintN(8 << size, cpu.x(rs));
    cpu.memory.write(at, atomicResult(operation, { old, operand, bits: 8 << size }), size);
    cpu.setX(rt, old);
  },
  ...structureExecutors,
};

/** Registers of one size to or from consecutive places; nothing is done where one would fault. */
function transfer(
  access: Transfer,
  what: { readonly registers: readonly number[]; readonly address: bigint },
  cpu: Cpu,
): void {
  const { load, vector, size, signed, wide } = access;
  const bytes = 1 << size;
  const offset = cpu.memory.resolve(what.address, {
    length: bytes * what.registers.length,
    permission: load ? pagePermission.read : pagePermission.write,
  });
  for (const [index, register] of what.registers.entries()) {
    const at = offset + index * bytes;
    if (vector) transferVector({ load, size, register }, at, cpu);
    else if (!load) cpu.memory.write(at, cpu.x(register), size);
    else {
      const value = cpu.memory.read(at, size);
      cpu.setGeneral(register, signed ? BigInt.asIntN(8 * bytes, value) : value, wide);
    }
  }
}

function transferVector(
  what: { readonly load: boolean; readonly size: number; readonly register: number },
  at: number,
  cpu: Cpu,
): void {
  const { load, size, register } = what;
  const quad = size === 4;
  if (load) {
    const low = cpu.memory.read(at, quad ? 3 : size);
    cpu.setVector(register, low, quad ? cpu.memory.read(at + 8, 3) : 0n);
    return;
  }
  cpu.memory.write(at, cpu.lane(register, 3, 0), quad ? 3 : size);
  if (quad) cpu.memory.write(at + 8, cpu.lane(register, 3, 1), 3);
}

function loadExclusive({ pair, size, rt, rt2, rn }: Of<'load-store-exclusive'>, cpu: Cpu): void {
  const address = cpu.x(rn);
  const count = pair ? 2 : 1;
  const bytes = 1 << size;
  const permission = pagePermission.read;
  const at = cpu.memory.resolve(address, { length: bytes * count, permission });
  const values = Array.from({ length: count }, (_, index) =>
    cpu.memory.read(at + index * bytes, size),
  );
  cpu.reservation = { address, size, values };
  cpu.setX(rt, values[0] ?? 0n);
  if (pair) cpu.setX(rt2, values[1] ?? 0n);
}

/**
 * Goes through where memory still holds what the load saw, as compare-and-swap would: one guest
 * thread runs at a time, and a value that came back is as good as one that never left.
 */
function storeExclusive(
  { pair, size, rs, rt, rt2, rn }: Of<'load-store-exclusive'>,
  cpu: Cpu,
): void {
  const address = cpu.x(rn);
  const count = pair ? 2 : 1;
  const bytes = 1 << size;
  const { reservation } = cpu;
  cpu.reservation = undefined;
  const reserved =
    reservation !== undefined &&
    reservation.address === address &&
    reservation.size === size &&
    reservation.values.length === count;
  if (!reserved) {
    cpu.setX(rs, 1n);
    return;
  }
  const permission = pagePermission.write;
  const at = cpu.memory.resolve(address, { length: bytes * count, permission });
  const unchanged = reservation.values.every(
    (value, index) => cpu.memory.read(at + index * bytes, size) === value,
  );
  if (unchanged) {
    const registers = pair ? [rt, rt2] : [rt];
    for (const [index, register] of registers.entries()) {
      cpu.memory.write(at + index * bytes, cpu.x(register), size);
    }
  }
  cpu.setX(rs, unchanged ? 0n : 1n);
}

function compareAndSwap({ pair, size, rs, rt, rn }: Of<'compare-and-swap'>, cpu: Cpu): void {
  const bytes = 1 << size;
  const offsets = pair ? [0, 1] : [0];
  const permission = pagePermission.write;
  const at = cpu.memory.resolve(cpu.x(rn), { length: bytes * offsets.length, permission });
  const old = offsets.map((index) => cpu.memory.read(at + index * bytes, size));
  const same = old.every(
    (value, index) => value === BigInt.asUintN(8 * bytes, cpu.x(after(rs, index))),
  );
  for (const [index, value] of old.entries()) {
    if (same) cpu.memory.write(at + index * bytes, cpu.x(after(rt, index)), size);
    cpu.setX(after(rs, index), value);
  }
}

/** The register that many after one: after X30 comes the zero register. */
function after(register: number, index: number): number {
  return register + index === 31 ? 32 : register + index;
}

function atomicResult(
  operation: AtomicOperation,
  { old, operand, bits }: { readonly old: bigint; readonly operand: bigint; readonly bits: number },
): bigint {
  const signedLess = BigInt.asIntN(bits, old) < BigInt.asIntN(bits, operand);
  switch (operation) {
    case 'add':
      return old + operand;
    case 'clr':
      return old & ~operand;
    case 'eor':
      return old ^ operand;
    case 'set':
      return old | operand;
    case 'smax':
      return signedLess ? operand : old;
    case 'smin':
      return signedLess ? old : operand;
    case 'umax':
      return old < operand ? operand : old;
    case 'umin':
      return old < operand ? old : operand;
    case 'swp':
      return operand;
  }
}
