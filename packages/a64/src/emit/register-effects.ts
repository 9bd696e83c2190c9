import type { Instruction } from '../instruction.ts';
import type { Register } from '../integer-instruction.ts';
import { vectorResource } from './resource.ts';
import { vectorEffects } from './vector-effects.ts';

/** Which registers an instruction needs and changes, as resources, and whether it does the flags. */
export interface RegisterEffects {
  readonly reads: readonly Register[];
  readonly writes: readonly Register[];
  readonly readsFlags: boolean;
  readonly writesFlags: boolean;
}

function effects(
  reads: readonly Register[],
  writes: readonly Register[],
  flags: { readonly reads?: boolean; readonly writes?: boolean } = {},
): RegisterEffects {
  return {
    reads,
    writes,
    readsFlags: flags.reads === true,
    writesFlags: flags.writes === true,
  };
}

function after(register: Register): Register {
  return register === 30 ? 32 : register + 1;
}

export function registerEffects(instruction: Instruction): RegisterEffects {
  switch (instruction.kind) {
    case 'add-sub-immediate':
    case 'logical-immediate':
      return effects([instruction.rn], [instruction.rd], { writes: instruction.setFlags });
    case 'add-sub-shifted':
    case 'add-sub-extended':
    case 'logical-shifted': {
      const { rn, rm, rd, setFlags } = instruction;
      return effects([rn, rm], [rd], { writes: setFlags });
    }
    case 'add-sub-carry': {
      const { rn, rm, rd, setFlags } = instruction;
      return effects([rn, rm], [rd], { reads: true, writes: setFlags });
    }
    case 'move-wide':
      return effects(instruction.op === 'movk' ? [instruction.rd] : [], [instruction.rd]);
    case 'pc-relative':
      return effects([], [instruction.rd]);
    case 'bitfield':
      return effects([instruction.rn, instruction.rd], [instruction.rd]);
    case 'extract':
    case 'two-source':
    case 'crc32':
      return effects([instruction.rn, instruction.rm], [instruction.rd]);
    case 'one-source':
      return effects([instruction.rn], [instruction.rd]);
    case 'three-source':
      return effects([instruction.rn, instruction.rm, instruction.ra], [instruction.rd]);
    case 'conditional-compare':
      return effects([instruction.rn, instruction.rm ?? 32], [], { reads: true, writes: true });
    case 'conditional-select':
      return effects([instruction.rn, instruction.rm], [instruction.rd], { reads: true });
    case 'branch-conditional':
      return effects([], [], { reads: true });
    case 'branch':
      return effects([], instruction.link ? [30] : []);
    case 'branch-register':
      return effects([instruction.rn], instruction.op === 'blr' ? [30] : []);
    case 'compare-branch':
    case 'test-branch':
    case 'zero-block':
      return effects([instruction.rt], []);
    case 'system-register': {
      const flags = instruction.register === 'nzcv';
      return instruction.op === 'mrs'
        ? effects([], [instruction.rt], { reads: flags })
        : effects([instruction.rt], [], { writes: flags });
    }
    case 'identification-register':
      return effects([], [instruction.rt]);
    case 'load-store-immediate': {
      const { load, vector, rt, rn, indexing } = instruction;
      const base = indexing === 'offset' ? [] : [rn];
      const value = vector ? vectorResource(rt) : rt;
      return load ? effects([rn], [value, ...base]) : effects([rn, value], base);
    }
    case 'load-store-register': {
      const { load, vector, rt, rn, rm } = instruction;
      const value = vector ? vectorResource(rt) : rt;
      return load ? effects([rn, rm], [value]) : effects([rn, rm, value], []);
    }
    case 'load-literal':
      return effects([], [instruction.vector ? vectorResource(instruction.rt) : instruction.rt]);
    case 'load-store-pair': {
      const { load, vector, rt, rt2, rn, indexing } = instruction;
      const base = indexing === 'offset' ? [] : [rn];
      const values = vector ? [vectorResource(rt), vectorResource(rt2)] : [rt, rt2];
      return load ? effects([rn], [...values, ...base]) : effects([rn, ...values], base);
    }
    case 'load-store-exclusive': {
      const { load, pair, rs, rt, rt2, rn } = instruction;
      const values = pair ? [rt, rt2] : [rt];
      return load ? effects([rn], values) : effects([rn, ...values], [rs]);
    }
    case 'load-store-ordered': {
      const { load, rt, rn } = instruction;
      return load ? effects([rn], [rt]) : effects([rn, rt], []);
    }
    case 'compare-and-swap': {
      const { pair, rs, rt, rn } = instruction;
      const compared = pair ? [rs, after(rs)] : [rs];
      return effects([rn, rt, ...compared, ...(pair ? [after(rt)] : [])], compared);
    }
    case 'atomic':
      return effects([instruction.rs, instruction.rn], [instruction.rt]);
    case 'load-store-structures': {
      const { load, rt, registers, rn, postIndex } = instruction;
      const vectors = consecutive(rt, registers);
      return structures({ rn, postIndex }, load ? { writes: vectors } : { reads: vectors });
    }
    case 'load-store-lane': {
      const { load, rt, elements, index, rn, postIndex } = instruction;
      const vectors = consecutive(rt, elements);
      if (!load) return structures({ rn, postIndex }, { reads: vectors });
      const kept = index === undefined ? [] : vectors;
      return structures({ rn, postIndex }, { reads: kept, writes: vectors });
    }
    case 'fp-to-integer':
      return effects([vectorResource(instruction.rn)], [instruction.rd]);
    case 'integer-to-fp':
    case 'vector-duplicate-general':
      return effects([instruction.rn], [vectorResource(instruction.rd)]);
    case 'vector-insert-general': {
      const target = vectorResource(instruction.rd);
      return effects([instruction.rn, target], [target]);
    }
    case 'fp-move-general': {
      const { toGeneral, upper, rd, rn } = instruction;
      if (toGeneral) return effects([vectorResource(rn)], [rd]);
      const target = vectorResource(rd);
      return effects(upper ? [rn, target] : [rn], [target]);
    }
    case 'vector-to-general':
      return effects([vectorResource(instruction.rn)], [instruction.rd]);
    case 'fp-compare':
    case 'fp-conditional-compare': {
      const { rn, rm } = instruction;
      const reads = [vectorResource(rn), vectorResource(rm ?? rn)];
      return effects(reads, [], { reads: instruction.kind !== 'fp-compare', writes: true });
    }
    case 'fp-conditional-select': {
      const { rd, rn, rm } = instruction;
      const reads = [vectorResource(rn), vectorResource(rm)];
      return effects(reads, [vectorResource(rd)], { reads: true });
    }
    case 'exception':
    case 'nothing':
    case 'synchronise-code':
    case 'clear-exclusive':
      return effects([], []);
    default: {
      const { reads, writes } = vectorEffects(instruction);
      return effects(reads.map(vectorResource), writes.map(vectorResource));
    }
  }
}

function consecutive(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => vectorResource(first + at));
}

function structures(
  base: {
    readonly rn: Register;
    readonly postIndex: { readonly rm: Register | undefined } | undefined;
  },
  values: { readonly reads?: readonly number[]; readonly writes?: readonly number[] },
): RegisterEffects {
  const { rn, postIndex } = base;
  const { reads = [], writes = [] } = values;
  if (postIndex === undefined) return effects([rn, ...reads], writes);
  return effects([rn, postIndex.rm ?? 32, ...reads], [rn, ...writes]);
}
