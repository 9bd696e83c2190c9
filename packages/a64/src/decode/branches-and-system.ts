import type { Instruction } from '../instruction.ts';
import type { SystemRegister } from '../integer-instruction.ts';
import { encodingClass, type EncodingClass } from './encoding-class.ts';
import { orZero } from './register-number.ts';
import { signExtend } from './sign-extend.ts';

/** The registers that EL0 may access, by op1, CRn, CRm and op2 with op0 = 3. */
const systemRegisters: Readonly<Record<string, SystemRegister>> = {
  '3.0.0.1': 'ctr_el0',
  '3.0.0.7': 'dczid_el0',
  '3.4.2.0': 'nzcv',
  '3.4.4.0': 'fpcr',
  '3.4.4.1': 'fpsr',
  '3.9.14.0': 'pmuserenr_el0',
  '3.13.0.2': 'tpidr_el0',
  '3.13.0.3': 'tpidrro_el0',
  '3.14.0.0': 'cntfrq_el0',
  '3.14.0.2': 'cntvct_el0',
};
const writable: ReadonlySet<SystemRegister> = new Set(['nzcv', 'fpcr', 'fpsr', 'tpidr_el0']);
const branchRegister = ['br', 'blr', 'ret'] as const;

/** CRm and op2 of the barriers. CLREX, DSB, DMB, ISB; SB (7) is of a later architecture. */
function barrier(op2: number): Instruction | undefined {
  switch (op2) {
    case 2:
      return { kind: 'clear-exclusive', op: 'clrex' };
    case 4:
      return { kind: 'nothing', op: 'dsb' };
    case 5:
      return { kind: 'nothing', op: 'dmb' };
    case 6:
      return { kind: 'synchronise-code', op: 'isb' };
    default:
      return undefined;
  }
}

/** Cache maintenance that Linux leaves to programs: CRn = 7, op1 = 3, op2 = 1. */
function cacheInstruction(CRm: number, Rt: number): Instruction | undefined {
  switch (CRm) {
    case 4:
      return { kind: 'zero-block', op: 'dc', rt: orZero(Rt) };
    case 5:
      return { kind: 'synchronise-code', op: 'ic' };
    case 10:
    case 11:
    case 14:
      return { kind: 'nothing', op: 'dc' };
    default:
      return undefined;
  }
}

/** Arm ARM C4.1, "Branches, Exception Generating and System instructions". */
export const branchesAndSystem: readonly EncodingClass[] = [
  encodingClass(
    'Conditional branch (immediate)',
    '01010100 imm19:19 0 cond:4',
    ({ imm19, cond }) => ({
      kind: 'branch-conditional',
      op: 'b.cond',
      condition: cond,
      offset: signExtend(imm19, 19) * 4,
    }),
  ),
  // HVC, SMC, HLT and DCPS are undefined for a program of EL0.
  encodingClass(
    'Exception generation',
    '11010100 opc:3 imm16:16 000 LL:2',
    ({ opc, imm16, LL }) => {
      if (opc === 0 && LL === 1) return { kind: 'exception', op: 'svc', imm: imm16 };
      if (opc === 1 && LL === 0) return { kind: 'exception', op: 'brk', imm: imm16 };
      return undefined;
    },
  ),
  // Unallocated hints are NOP, too; so are pointer authentication and branch targets.
  encodingClass('Hints', '11010101000000110010 CRm:4 op2:3 11111', () => ({
    kind: 'nothing',
    op: 'hint',
  })),
  encodingClass('Barriers', '11010101000000110011 CRm:4 op2:3 11111', ({ op2 }) => barrier(op2)),
  encodingClass(
    'System instructions',
    '1101010100 L 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    ({ L, op1, CRn, CRm, op2, Rt }) => {
      if (L === 1 || op1 !== 3 || CRn !== 7 || op2 !== 1) return undefined;
      return cacheInstruction(CRm, Rt);
    },
  ),
  encodingClass(
    'System register move',
    '1101010100 L 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5',
    ({ L, o0, op1, CRn, CRm, op2, Rt }) => {
      const rt = orZero(Rt);
      // Linux answers reads of the identification registers (HWCAP_CPUID).
      if (L === 1 && o0 === 1 && op1 === 0 && CRn === 0 && isIdentification(CRm, op2)) {
        return { kind: 'identification-register', op: 'mrs', number: CRm * 8 + op2, rt };
      }
      const register = o0 === 1 ? systemRegisters[`${op1}.${CRn}.${CRm}.${op2}`] : undefined;
      if (register === undefined || (L === 0 && !writable.has(register))) return undefined;
      return { kind: 'system-register', op: L === 1 ? 'mrs' : 'msr', register, rt };
    },
  ),
  encodingClass(
    'Unconditional branch (register)',
    '1101011 opc:4 11111 op3:6 Rn:5 op4:5',
    ({ opc, op3, Rn, op4 }) => {
      const op = branchRegister[opc];
      if (op === undefined || op3 !== 0 || op4 !== 0) return undefined;
      return { kind: 'branch-register', op, rn: orZero(Rn) };
    },
  ),
  encodingClass('Unconditional branch (immediate)', 'op 00101 imm26:26', ({ op, imm26 }) => ({
    kind: 'branch',
    op: op === 1 ? 'bl' : 'b',
    link: op === 1,
    offset: signExtend(imm26, 26) * 4,
  })),
  encodingClass(
    'Compare and branch (immediate)',
    'sf 011010 op imm19:19 Rt:5',
    ({ sf, op, imm19, Rt }) => ({
      kind: 'compare-branch',
      op: op === 1 ? 'cbnz' : 'cbz',
      wide: sf === 1,
      rt: orZero(Rt),
      offset: signExtend(imm19, 19) * 4,
    }),
  ),
  encodingClass(
    'Test and branch (immediate)',
    'b5 011011 op b40:5 imm14:14 Rt:5',
    ({ b5, op, b40, imm14, Rt }) => ({
      kind: 'test-branch',
      op: op === 1 ? 'tbnz' : 'tbz',
      bit: b5 * 32 + b40,
      rt: orZero(Rt),
      offset: signExtend(imm14, 14) * 4,
    }),
  ),
];

/** MIDR, MPIDR, REVIDR, and the registers that list what a processor can do. */
function isIdentification(CRm: number, op2: number): boolean {
  if (CRm === 0) return op2 === 0 || op2 === 5 || op2 === 6;
  return CRm >= 4 && CRm <= 7;
}
