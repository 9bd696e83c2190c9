import type { Register } from './integer-instruction.ts';

/** Bits of a floating-point number. Half precision is only converted, never computed with. */
export type FloatWidth = 16 | 32 | 64;

/** Nearest with ties to even, up, down, to zero (as in FPCR), and ties away from zero. */
export type Rounding = 'even' | 'up' | 'down' | 'zero' | 'away';

export type FloatingInstruction =
  | {
      readonly kind: 'fp-one-source';
      readonly op: 'fmov' | 'fabs' | 'fneg' | 'fsqrt';
      readonly width: FloatWidth;
      readonly rd: number;
      readonly rn: number;
    }
  | {
      readonly kind: 'fp-convert-precision';
      readonly op: 'fcvt';
      readonly from: FloatWidth;
      readonly to: FloatWidth;
      readonly rd: number;
      readonly rn: number;
    }
  | {
      readonly kind: 'fp-round';
      readonly op: string;
      readonly width: FloatWidth;
      /** Undefined for what FPCR says. */
      readonly rounding: Rounding | undefined;
      /** Signals a result that differs, as FRINTX does. */
      readonly exact: boolean;
      readonly rd: number;
      readonly rn: number;
    }
  | {
      readonly kind: 'fp-two-source';
      readonly op:
        | 'fmul'
        | 'fdiv'
        | 'fadd'
        | 'fsub'
        | 'fmax'
        | 'fmin'
        | 'fmaxnm'
        | 'fminnm'
        | 'fnmul';
      readonly width: FloatWidth;
      readonly rd: number;
      readonly rn: number;
      readonly rm: number;
    }
  | {
      readonly kind: 'fp-three-source';
      readonly op: 'fmadd' | 'fmsub' | 'fnmadd' | 'fnmsub';
      readonly width: FloatWidth;
      readonly rd: number;
      readonly rn: number;
      readonly rm: number;
      readonly ra: number;
    }
  | {
      readonly kind: 'fp-compare';
      readonly op: 'fcmp' | 'fcmpe';
      readonly width: FloatWidth;
      readonly rn: number;
      /** Undefined for a comparison with zero. */
      readonly rm: number | undefined;
    }
  | {
      readonly kind: 'fp-conditional-compare';
      readonly op: 'fccmp' | 'fccmpe';
      readonly width: FloatWidth;
      readonly rn: number;
      readonly rm: number;
      readonly condition: number;
      readonly nzcv: number;
    }
  | {
      readonly kind: 'fp-conditional-select';
      readonly op: 'fcsel';
      readonly width: FloatWidth;
      readonly rd: number;
      readonly rn: number;
      readonly rm: number;
      readonly condition: number;
    }
  | {
      readonly kind: 'fp-immediate';
      readonly op: 'fmov';
      readonly rd: number;
      readonly bits: bigint;
    }
  | {
      readonly kind: 'fp-to-integer';
      readonly op: string;
      readonly width: FloatWidth;
      readonly wide: boolean;
      readonly signed: boolean;
      readonly rounding: Rounding;
      readonly fractionBits: number;
      readonly rd: Register;
      readonly rn: number;
    }
  | {
      readonly kind: 'integer-to-fp';
      readonly op: 'scvtf' | 'ucvtf';
      readonly width: FloatWidth;
      readonly wide: boolean;
      readonly signed: boolean;
      readonly fractionBits: number;
      readonly rd: number;
      readonly rn: Register;
    }
  | {
      readonly kind: 'fp-move-general';
      readonly op: 'fmov';
      readonly toGeneral: boolean;
      readonly width: 32 | 64;
      /** The upper 64 bits of the vector register, which are the only ones that change. */
      readonly upper: boolean;
      readonly rd: number;
      readonly rn: number;
    };
