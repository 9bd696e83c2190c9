import type { FloatWidth, Rounding } from './floating-instruction.ts';
import type { Register } from './integer-instruction.ts';

/** Which lanes an instruction works on. */
export interface Lanes {
  /** Logarithm of a lane's bytes. */
  readonly size: number;
  /** 1 for the scalar forms. */
  readonly lanes: number;
}

/** Lane-wise integer operations of two vectors; those marked as accumulating read `rd`, too. */
export type LaneOperation =
  | 'shadd'
  | 'uhadd'
  | 'srhadd'
  | 'urhadd'
  | 'shsub'
  | 'uhsub'
  | 'sqadd'
  | 'uqadd'
  | 'sqsub'
  | 'uqsub'
  | 'cmgt'
  | 'cmhi'
  | 'cmge'
  | 'cmhs'
  | 'cmeq'
  | 'cmtst'
  | 'sshl'
  | 'ushl'
  | 'sqshl'
  | 'uqshl'
  | 'srshl'
  | 'urshl'
  | 'sqrshl'
  | 'uqrshl'
  | 'smax'
  | 'umax'
  | 'smin'
  | 'umin'
  | 'sabd'
  | 'uabd'
  | 'saba'
  | 'uaba'
  | 'add'
  | 'sub'
  | 'mla'
  | 'mls'
  | 'mul'
  | 'pmul'
  | 'sqdmulh'
  | 'sqrdmulh';

export type PairwiseOperation = 'addp' | 'smaxp' | 'umaxp' | 'sminp' | 'uminp';

export type LogicalOperation = 'and' | 'bic' | 'orr' | 'orn' | 'eor' | 'bsl' | 'bit' | 'bif';

export type FloatLaneOperation =
  | 'fmaxnm'
  | 'fminnm'
  | 'fmla'
  | 'fmls'
  | 'fadd'
  | 'fsub'
  | 'fmul'
  | 'fmulx'
  | 'fdiv'
  | 'fmax'
  | 'fmin'
  | 'fabd'
  | 'fcmeq'
  | 'fcmge'
  | 'fcmgt'
  | 'facge'
  | 'facgt'
  | 'frecps'
  | 'frsqrts';

export type FloatPairwiseOperation = 'fmaxnmp' | 'fminnmp' | 'faddp' | 'fmaxp' | 'fminp';

/** From two lanes of `size` to one of twice that, from the lower or upper half. */
export type LongOperation =
  | 'saddl'
  | 'uaddl'
  | 'ssubl'
  | 'usubl'
  | 'sabal'
  | 'uabal'
  | 'sabdl'
  | 'uabdl'
  | 'smlal'
  | 'umlal'
  | 'smlsl'
  | 'umlsl'
  | 'smull'
  | 'umull'
  | 'sqdmlal'
  | 'sqdmlsl'
  | 'sqdmull'
  | 'pmull';

export type WideOperation = 'saddw' | 'uaddw' | 'ssubw' | 'usubw';

export type NarrowHighOperation = 'addhn' | 'raddhn' | 'subhn' | 'rsubhn';

export type OneLaneOperation =
  | 'cls'
  | 'clz'
  | 'cnt'
  | 'not'
  | 'rbit'
  | 'abs'
  | 'neg'
  | 'sqabs'
  | 'sqneg'
  | 'cmgt'
  | 'cmge'
  | 'cmeq'
  | 'cmle'
  | 'cmlt'
  | 'suqadd'
  | 'usqadd'
  | 'urecpe'
  | 'ursqrte';

export type FloatOneLaneOperation =
  | 'fabs'
  | 'fneg'
  | 'fsqrt'
  | 'fcmgt'
  | 'fcmge'
  | 'fcmeq'
  | 'fcmle'
  | 'fcmlt'
  | 'frecpe'
  | 'frsqrte'
  | 'frecpx';

export type NarrowOperation = 'xtn' | 'sqxtn' | 'uqxtn' | 'sqxtun';

export type ShiftOperation =
  | 'sshr'
  | 'ushr'
  | 'ssra'
  | 'usra'
  | 'srshr'
  | 'urshr'
  | 'srsra'
  | 'ursra'
  | 'shl'
  | 'sli'
  | 'sri'
  | 'sqshl'
  | 'uqshl'
  | 'sqshlu';

export type ShiftNarrowOperation =
  | 'shrn'
  | 'rshrn'
  | 'sqshrn'
  | 'sqrshrn'
  | 'uqshrn'
  | 'uqrshrn'
  | 'sqshrun'
  | 'sqrshrun';

export type AcrossOperation = 'addv' | 'smaxv' | 'umaxv' | 'sminv' | 'uminv' | 'saddlv' | 'uaddlv';

export type FloatAcrossOperation = 'fmaxnmv' | 'fminnmv' | 'fmaxv' | 'fminv';

interface Two {
  readonly rd: number;
  readonly rn: number;
}

interface Three extends Two {
  readonly rm: number;
}

/** Takes the upper half of its narrow operand, or writes the upper half of its result only. */
interface Half {
  readonly upper: boolean;
}

/** One lane of `rm` for all lanes of `rn`. */
interface Indexed {
  /** Undefined where lanes meet their own. */
  readonly index: number | undefined;
}

export type VectorInstruction =
  | (Lanes & Three & Indexed & { readonly kind: 'vector-lanes'; readonly op: LaneOperation })
  | (Lanes & Three & { readonly kind: 'vector-pairwise'; readonly op: PairwiseOperation })
  | (Three & {
      readonly kind: 'vector-logical';
      readonly op: LogicalOperation;
      readonly q: boolean;
    })
  | (Lanes &
      Three &
      Indexed & { readonly kind: 'vector-fp-lanes'; readonly op: FloatLaneOperation })
  | (Lanes & Three & { readonly kind: 'vector-fp-pairwise'; readonly op: FloatPairwiseOperation })
  | (Lanes & Three & Half & Indexed & { readonly kind: 'vector-long'; readonly op: LongOperation })
  | (Lanes & Three & Half & { readonly kind: 'vector-wide'; readonly op: WideOperation })
  | (Lanes &
      Three &
      Half & { readonly kind: 'vector-narrow-high'; readonly op: NarrowHighOperation })
  | (Lanes & Two & { readonly kind: 'vector-one'; readonly op: OneLaneOperation })
  | (Lanes &
      Two & {
        readonly kind: 'vector-reverse';
        readonly op: 'rev64' | 'rev32' | 'rev16';
        /** Logarithm of the bytes within which lanes are reversed. */
        readonly container: number;
      })
  | (Lanes &
      Two & {
        readonly kind: 'vector-add-long-pairs';
        readonly op: 'saddlp' | 'uaddlp' | 'sadalp' | 'uadalp';
      })
  | (Lanes & Two & { readonly kind: 'vector-fp-one'; readonly op: FloatOneLaneOperation })
  | (Lanes &
      Two & {
        readonly kind: 'vector-fp-round';
        readonly op: string;
        readonly rounding: Rounding | undefined;
        readonly exact: boolean;
      })
  | (Lanes &
      Two & {
        readonly kind: 'vector-fp-to-integer';
        readonly op: string;
        readonly signed: boolean;
        readonly rounding: Rounding;
        readonly fractionBits: number;
      })
  | (Lanes &
      Two & {
        readonly kind: 'vector-integer-to-fp';
        readonly op: 'scvtf' | 'ucvtf';
        readonly signed: boolean;
        readonly fractionBits: number;
      })
  /** `size` and `lanes` are those of the narrow side. */
  | (Lanes & Two & Half & { readonly kind: 'vector-narrow'; readonly op: NarrowOperation })
  | (Lanes & Two & Half & { readonly kind: 'vector-shift-left-long'; readonly op: 'shll' })
  | (Lanes &
      Two &
      Half & {
        readonly kind: 'vector-fp-narrow';
        readonly op: 'fcvtn' | 'fcvtxn';
        readonly to: FloatWidth;
      })
  | (Lanes &
      Two &
      Half & { readonly kind: 'vector-fp-long'; readonly op: 'fcvtl'; readonly from: FloatWidth })
  | (Lanes & Two & { readonly kind: 'vector-across'; readonly op: AcrossOperation })
  | (Lanes & Two & { readonly kind: 'vector-fp-across'; readonly op: FloatAcrossOperation })
  | (Lanes &
      Two & {
        readonly kind: 'scalar-pairwise';
        readonly op: 'addp' | FloatPairwiseOperation;
      })
  | (Lanes &
      Two & {
        readonly kind: 'vector-shift';
        readonly op: ShiftOperation;
        readonly amount: number;
      })
  | (Lanes &
      Two &
      Half & {
        readonly kind: 'vector-shift-narrow';
        readonly op: ShiftNarrowOperation;
        readonly amount: number;
      })
  | (Lanes &
      Two &
      Half & {
        readonly kind: 'vector-shift-long';
        readonly op: 'sshll' | 'ushll';
        readonly amount: number;
      })
  | (Lanes &
      Two & { readonly kind: 'vector-duplicate'; readonly op: 'dup'; readonly index: number })
  | (Lanes & {
      readonly kind: 'vector-duplicate-general';
      readonly op: 'dup';
      readonly rd: number;
      readonly rn: Register;
    })
  | {
      readonly kind: 'vector-to-general';
      readonly op: 'smov' | 'umov';
      readonly size: number;
      readonly index: number;
      readonly wide: boolean;
      readonly rd: Register;
      readonly rn: number;
    }
  | {
      readonly kind: 'vector-insert-general';
      readonly op: 'ins';
      readonly size: number;
      readonly index: number;
      readonly rd: number;
      readonly rn: Register;
    }
  | {
      readonly kind: 'vector-insert';
      readonly op: 'ins';
      readonly size: number;
      readonly to: number;
      readonly from: number;
      readonly rd: number;
      readonly rn: number;
    }
  | {
      readonly kind: 'vector-immediate';
      readonly op: 'movi' | 'mvni' | 'orr' | 'bic' | 'fmov';
      readonly q: boolean;
      /** ORR and BIC change the register, the others replace it. `imm` is inverted where it has to be. */
      readonly operation: 'replace' | 'orr' | 'bic';
      readonly rd: number;
      readonly imm: bigint;
    }
  | (Lanes &
      Three & {
        readonly kind: 'vector-permute';
        readonly op: 'uzp1' | 'uzp2' | 'trn1' | 'trn2' | 'zip1' | 'zip2';
      })
  | (Three & {
      readonly kind: 'vector-extract';
      readonly op: 'ext';
      readonly q: boolean;
      readonly index: number;
    })
  | (Three & {
      readonly kind: 'vector-table';
      readonly op: 'tbl' | 'tbx';
      readonly q: boolean;
      readonly registers: number;
    })
  | (Two & { readonly kind: 'aes'; readonly op: 'aese' | 'aesd' | 'aesmc' | 'aesimc' })
  | (Three & {
      readonly kind: 'sha-three';
      readonly op: 'sha1c' | 'sha1p' | 'sha1m' | 'sha1su0' | 'sha256h' | 'sha256h2' | 'sha256su1';
    })
  | (Two & { readonly kind: 'sha-two'; readonly op: 'sha1h' | 'sha1su1' | 'sha256su0' });
