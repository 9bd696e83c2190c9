/**
 * What integer and control-flow instructions do, after decoding. `op` is always the architecture's
 * mnemonic without aliases.
 *
 * A register is a number: 0–30 are X0–X30, 31 is SP, 32 is the zero register. The encoding uses 31
 * for both of the last two; which is meant depends on the instruction, and is settled here.
 */
export type Register = number;

/** What is done to a second operand: LSL, LSR, ASR, ROR. */
export type ShiftType = 0 | 1 | 2 | 3;

/** UXTB, UXTH, UXTW, UXTX, SXTB, SXTH, SXTW, SXTX, as encoded. */
export type ExtendType = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

interface AddSubtract {
  readonly op: 'add' | 'adds' | 'sub' | 'subs';
  readonly wide: boolean;
  readonly subtract: boolean;
  readonly setFlags: boolean;
  readonly rd: Register;
  readonly rn: Register;
}

interface Logical {
  readonly op: 'and' | 'orr' | 'eor' | 'ands' | 'bic' | 'orn' | 'eon' | 'bics';
  /** Without the inversion that `invert` says, and without the flags that `setFlags` says. */
  readonly operation: 'and' | 'orr' | 'eor';
  readonly wide: boolean;
  readonly setFlags: boolean;
  readonly rd: Register;
  readonly rn: Register;
}

interface ShiftedRegister {
  readonly rm: Register;
  readonly shift: ShiftType;
  readonly amount: number;
}

export type SystemRegister =
  | 'nzcv'
  | 'fpcr'
  | 'fpsr'
  | 'pmuserenr_el0'
  | 'tpidr_el0'
  | 'tpidrro_el0'
  | 'ctr_el0'
  | 'dczid_el0'
  | 'cntfrq_el0'
  | 'cntvct_el0';

export type IntegerInstruction =
  | (AddSubtract & { readonly kind: 'add-sub-immediate'; readonly imm: number })
  | (AddSubtract & ShiftedRegister & { readonly kind: 'add-sub-shifted' })
  | (AddSubtract & {
      readonly kind: 'add-sub-extended';
      readonly rm: Register;
      readonly extend: ExtendType;
      readonly amount: number;
    })
  | {
      readonly kind: 'add-sub-carry';
      readonly op: 'adc' | 'adcs' | 'sbc' | 'sbcs';
      readonly wide: boolean;
      readonly subtract: boolean;
      readonly setFlags: boolean;
      readonly rd: Register;
      readonly rn: Register;
      readonly rm: Register;
    }
  | (Logical & { readonly kind: 'logical-immediate'; readonly imm: bigint })
  | (Logical & ShiftedRegister & { readonly kind: 'logical-shifted'; readonly invert: boolean })
  | {
      readonly kind: 'move-wide';
      readonly op: 'movn' | 'movz' | 'movk';
      readonly wide: boolean;
      readonly rd: Register;
      readonly imm: number;
      readonly shift: number;
    }
  | {
      readonly kind: 'pc-relative';
      readonly op: 'adr' | 'adrp';
      readonly rd: Register;
      /** Bytes from the instruction, or from the start of its page of 4 KiB for ADRP. */
      readonly offset: number;
    }
  | {
      readonly kind: 'bitfield';
      readonly op: 'sbfm' | 'bfm' | 'ubfm';
      readonly wide: boolean;
      readonly rd: Register;
      readonly rn: Register;
      readonly immr: number;
      readonly imms: number;
    }
  | {
      readonly kind: 'extract';
      readonly op: 'extr';
      readonly wide: boolean;
      readonly rd: Register;
      readonly rn: Register;
      readonly rm: Register;
      readonly lsb: number;
    }
  | {
      readonly kind: 'conditional-compare';
      readonly op: 'ccmn' | 'ccmp';
      readonly wide: boolean;
      readonly rn: Register;
      /** A register, or without one `imm`. */
      readonly rm: Register | undefined;
      readonly imm: number;
      readonly condition: number;
      readonly nzcv: number;
    }
  | {
      readonly kind: 'conditional-select';
      readonly op: 'csel' | 'csinc' | 'csinv' | 'csneg';
      readonly wide: boolean;
      readonly rd: Register;
      readonly rn: Register;
      readonly rm: Register;
      readonly condition: number;
    }
  | {
      readonly kind: 'one-source';
      readonly op: 'rbit' | 'rev16' | 'rev32' | 'rev' | 'clz' | 'cls';
      readonly wide: boolean;
      readonly rd: Register;
      readonly rn: Register;
    }
  | {
      readonly kind: 'two-source';
      readonly op: 'udiv' | 'sdiv' | 'lslv' | 'lsrv' | 'asrv' | 'rorv';
      readonly wide: boolean;
      readonly rd: Register;
      readonly rn: Register;
      readonly rm: Register;
    }
  | {
      readonly kind: 'crc32';
      readonly op: string;
      /** The polynomial of CRC-32C. */
      readonly castagnoli: boolean;
      /** Logarithm of the bytes taken in. */
      readonly size: number;
      readonly rd: Register;
      readonly rn: Register;
      readonly rm: Register;
    }
  | {
      readonly kind: 'three-source';
      readonly op: 'madd' | 'msub' | 'smaddl' | 'smsubl' | 'umaddl' | 'umsubl' | 'smulh' | 'umulh';
      readonly wide: boolean;
      readonly rd: Register;
      readonly rn: Register;
      readonly rm: Register;
      readonly ra: Register;
    }
  | {
      readonly kind: 'branch-conditional';
      readonly op: 'b.cond';
      readonly condition: number;
      readonly offset: number;
    }
  | {
      readonly kind: 'branch';
      readonly op: 'b' | 'bl';
      readonly link: boolean;
      readonly offset: number;
    }
  | {
      readonly kind: 'branch-register';
      readonly op: 'br' | 'blr' | 'ret';
      readonly rn: Register;
    }
  | {
      readonly kind: 'compare-branch';
      readonly op: 'cbz' | 'cbnz';
      readonly wide: boolean;
      readonly rt: Register;
      readonly offset: number;
    }
  | {
      readonly kind: 'test-branch';
      readonly op: 'tbz' | 'tbnz';
      readonly bit: number;
      readonly rt: Register;
      readonly offset: number;
    }
  | { readonly kind: 'exception'; readonly op: 'svc' | 'brk'; readonly imm: number }
  /** What needs nothing of a single thread: hints, barriers, prefetches, instruction caches. */
  | { readonly kind: 'nothing'; readonly op: 'hint' | 'dsb' | 'dmb' | 'dc' | 'prfm' | 'prfum' }
  /** Code that was written may be run from here on. */
  | { readonly kind: 'synchronise-code'; readonly op: 'isb' | 'ic' }
  | { readonly kind: 'clear-exclusive'; readonly op: 'clrex' }
  | { readonly kind: 'zero-block'; readonly op: 'dc'; readonly rt: Register }
  | {
      readonly kind: 'system-register';
      readonly op: 'mrs' | 'msr';
      readonly register: SystemRegister;
      readonly rt: Register;
    }
  | {
      readonly kind: 'identification-register';
      readonly op: 'mrs';
      /** CRm and op2 of the encoding, as `CRm * 8 + op2`. */
      readonly number: number;
      readonly rt: Register;
    };
