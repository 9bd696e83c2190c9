import type { Instruction } from '../instruction.ts';
import type { Register } from '../integer-instruction.ts';

/** Which general registers an instruction needs and changes, and whether it does the flags. */
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
      if (vector) return effects([rn], base);
      return load ? effects([rn], [rt, ...base]) : effects([rn, rt], base);
    }
    case 'load-store-register': {
      const { load, vector, rt, rn, rm } = instruction;
      if (vector) return effects([rn, rm], []);
      return load ? effects([rn, rm], [rt]) : effects([rn, rm, rt], []);
    }
    case 'load-literal':
      return effects([], instruction.vector ? [] : [instruction.rt]);
    case 'load-store-pair': {
      const { load, vector, rt, rt2, rn, indexing } = instruction;
      const base = indexing === 'offset' ? [] : [rn];
      if (vector) return effects([rn], base);
      return load ? effects([rn], [rt, rt2, ...base]) : effects([rn, rt, rt2], base);
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
    case 'load-store-structures':
    case 'load-store-lane': {
      const { rn, postIndex } = instruction;
      if (postIndex === undefined) return effects([rn], []);
      return effects([rn, postIndex.rm ?? 32], [rn]);
    }
    case 'fp-to-integer':
      return effects([], [instruction.rd]);
    case 'integer-to-fp':
    case 'vector-duplicate-general':
    case 'vector-insert-general':
      return effects([instruction.rn], []);
    case 'fp-move-general':
      return instruction.toGeneral ? effects([], [instruction.rd]) : effects([instruction.rn], []);
    case 'vector-to-general':
      return effects([], [instruction.rd]);
    case 'fp-compare':
      return effects([], [], { writes: true });
    case 'fp-conditional-compare':
      return effects([], [], { reads: true, writes: true });
    case 'fp-conditional-select':
      return effects([], [], { reads: true });
    default:
      return effects([], []);
  }
}
