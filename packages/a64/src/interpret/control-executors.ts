import type { IntegerInstruction, SystemRegister } from '../integer-instruction.ts';
import { conditionHolds } from './condition-holds.ts';
import type { Cpu } from './cpu.ts';
import type { Executors } from './executors.ts';
import { pagePermission, withoutTag } from './linear-memory.ts';

type Control = Extract<
  IntegerInstruction,
  {
    readonly kind:
      | 'branch-conditional'
      | 'branch'
      | 'branch-register'
      | 'compare-branch'
      | 'test-branch'
      | 'exception'
      | 'nothing'
      | 'synchronise-code'
      | 'clear-exclusive'
      | 'zero-block'
      | 'system-register'
      | 'identification-register';
  }
>;

/** Bytes that DC ZVA clears; DCZID_EL0 says so as a power of words. */
const zeroBlockSize = 64;
const zeroBlockId = 4n;
/** CTR_EL0: lines of 64 bytes, and what a Cortex-A57 says beside. */
const cacheType = 0x8444c004n;
/** Bits of FPCR that can be set: AHP, DN, FZ, the rounding, and AArch32's Stride and Len, which do nothing. */
const fpcrMask = 0x07f70000;
/** Bits of FPSR: QC, the cumulative exceptions, and AArch32's N, Z, C, V, which keep what is written. */
const fpsrMask = 0xf800009f;

export const controlExecutors: Executors<Control> = {
  'branch-conditional': ({ condition, offset }, cpu) => {
    if (conditionHolds(condition, cpu.nzcv)) jump(offset, cpu);
  },
  branch: ({ link, offset }, cpu) => {
    if (link) cpu.setX(30, cpu.nextPc);
    jump(offset, cpu);
  },
  'branch-register': ({ op, rn }, cpu) => {
    const target = cpu.x(rn);
    if (op === 'blr') cpu.setX(30, cpu.nextPc);
    cpu.nextPc = withoutTag(target);
  },
  'compare-branch': ({ op, wide, rt, offset }, cpu) => {
    if ((cpu.general(rt, wide) === 0n) === (op === 'cbz')) jump(offset, cpu);
  },
  'test-branch': ({ op, bit, rt, offset }, cpu) => {
    if (((cpu.x(rt) >> BigInt(bit)) & 1n) === (op === 'tbz' ? 0n : 1n)) jump(offset, cpu);
  },
  exception: ({ op, imm }, cpu) => {
    if (op === 'svc') cpu.stop = { kind: 'system-call' };
    else {
      cpu.nextPc = cpu.pc;
      cpu.stop = { kind: 'breakpoint', imm };
    }
  },
  nothing: () => {},
  // Here words are looked at each time they are run; what is translated from them has to be told.
  'synchronise-code': ({ op }, cpu) => {
    if (op === 'ic') cpu.memory.codeChanged();
  },
  'clear-exclusive': (_, cpu) => {
    cpu.reservation = undefined;
  },
  'zero-block': ({ rt }, cpu) => {
    const address = cpu.x(rt) & ~BigInt(zeroBlockSize - 1);
    const length = zeroBlockSize;
    const offset = cpu.memory.resolve(address, { length, permission: pagePermission.write });
    cpu.memory.bytesAt(offset, length).fill(0);
  },
  'system-register': ({ op, register, rt }, cpu) => {
    if (op === 'mrs') cpu.setX(rt, readRegister(register, cpu));
    else writeRegister(register, cpu.x(rt), cpu);
  },
  'identification-register': ({ number, rt }, cpu) => {
    cpu.setX(rt, cpu.environment.identification(number));
  },
};

function jump(offset: number, cpu: Cpu): void {
  cpu.nextPc = BigInt.asUintN(64, cpu.pc + BigInt(offset));
}

function readRegister(register: SystemRegister, cpu: Cpu): bigint {
  switch (register) {
    case 'nzcv':
      return BigInt(cpu.nzcv) << 28n;
    case 'fpcr':
      return BigInt(cpu.fpcr);
    case 'fpsr':
      return BigInt(cpu.fpsr);
    case 'tpidr_el0':
      return cpu.threadPointer;
    // No counters of events are open to programs.
    case 'pmuserenr_el0':
    case 'tpidrro_el0':
      return 0n;
    case 'ctr_el0':
      return cacheType;
    case 'dczid_el0':
      return zeroBlockId;
    case 'cntfrq_el0':
      return cpu.environment.counterFrequency;
    case 'cntvct_el0':
      return cpu.environment.counter();
  }
}

function writeRegister(register: SystemRegister, value: bigint, cpu: Cpu): void {
  switch (register) {
    case 'nzcv':
      cpu.nzcv = Number((value >> 28n) & 15n);
      break;
    case 'fpcr':
      cpu.fpcr = Number(value & BigInt(fpcrMask));
      break;
    case 'fpsr':
      cpu.fpsr = Number(value & BigInt(fpsrMask));
      break;
    case 'tpidr_el0':
      cpu.threadPointer = value;
      break;
    // Decoded as unallocated.
    case 'pmuserenr_el0':
    case 'tpidrro_el0':
    case 'ctr_el0':
    case 'dczid_el0':
    case 'cntfrq_el0':
    case 'cntvct_el0':
      break;
  }
}
