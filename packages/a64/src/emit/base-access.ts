import type { Instruction } from '../instruction.ts';
import { spanPermission } from '../interpret/linear-memory.ts';
import { isCall } from './data-flow.ts';
import { type BaseRange, longestRange } from './emit-address.ts';
import type { DecodedInstruction, PlacedInstruction } from './guest-block.ts';
import { hasResource } from './resource.ts';

/** What an instruction accesses, where that is at a fixed distance from a register. */
export function baseAccess(instruction: Instruction): BaseRange | undefined {
  switch (instruction.kind) {
    case 'load-store-immediate':
    case 'load-store-pair': {
      const { load, rn, offset, indexing, size } = instruction;
      const from = indexing === 'post' ? 0 : offset;
      const length = (instruction.kind === 'load-store-pair' ? 2 : 1) << size;
      return range(rn, { from, length, load });
    }
    case 'load-store-ordered': {
      const { load, rn, size } = instruction;
      return range(rn, { from: 0, length: 1 << size, load });
    }
    case 'load-store-structures': {
      const { load, rn, q, registers } = instruction;
      return range(rn, { from: 0, length: (q ? 16 : 8) * registers, load });
    }
    case 'load-store-lane': {
      const { load, rn, size, elements } = instruction;
      return range(rn, { from: 0, length: elements << size, load });
    }
    case 'load-store-exclusive': {
      const { load, rn, size, pair } = instruction;
      return load ? range(rn, { from: 0, length: (pair ? 2 : 1) << size, load }) : undefined;
    }
    case 'atomic':
      return range(instruction.rn, { from: 0, length: 1 << instruction.size, load: false });
    case 'compare-and-swap': {
      const { rn, size, pair } = instruction;
      return range(rn, { from: 0, length: (pair ? 2 : 1) << size, load: false });
    }
    default:
      return undefined;
  }
}

function range(
  base: number,
  access: { readonly from: number; readonly length: number; readonly load: boolean },
): BaseRange {
  const { from, length, load } = access;
  const permissions = load ? spanPermission.read : spanPermission.write;
  return { base, from, end: from + length, permissions };
}

/** How far a register is moved by an instruction; undefined where it becomes something else. */
export function moveOf(
  { instruction, writes }: DecodedInstruction,
  register: number,
): number | undefined {
  // Most instructions have nothing to do with it.
  if (!hasResource(writes, register)) return 0;
  switch (instruction.kind) {
    case 'add-sub-immediate': {
      const { rd, rn, imm, subtract, wide } = instruction;
      if (rd === register && rn === register && wide) return subtract ? -imm : imm;
      break;
    }
    case 'load-store-immediate':
    case 'load-store-pair': {
      const { rn, indexing, offset, load, vector, rt } = instruction;
      if (rn !== register || indexing === 'offset') break;
      const second = instruction.kind === 'load-store-pair' ? instruction.rt2 : rt;
      if (load && !vector && (rt === register || second === register)) return undefined;
      return offset;
    }
    case 'load-store-structures':
    case 'load-store-lane': {
      const { rn, postIndex } = instruction;
      if (rn !== register || postIndex === undefined) break;
      if (postIndex.rm !== undefined) return undefined;
      if (instruction.kind === 'load-store-lane') return instruction.elements << instruction.size;
      return (instruction.q ? 16 : 8) * instruction.registers;
    }
    default:
  }
  return undefined;
}

/**
 * The range that instructions of a block will access from the same register, itself first: since they
 * are all run, it does no harm to ask for all of it at once.
 */
export function wantedRange(first: BaseRange, ahead: readonly PlacedInstruction[]): BaseRange {
  const { base } = first;
  let { from, end, permissions } = first;
  let moved = 0;
  for (const placed of ahead) {
    const access = baseAccess(placed.instruction);
    if (access?.base === base) {
      const lower = Math.min(from, access.from + moved);
      const upper = Math.max(end, access.end + moved);
      if (upper - lower > longestRange) break;
      [from, end] = [lower, upper];
      permissions |= access.permissions;
    }
    if (isCall(placed)) break;
    const by = moveOf(placed, base);
    if (by === undefined) break;
    moved += by;
  }
  return { base, from, end, permissions };
}
