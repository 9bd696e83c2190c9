import { TaplineError } from '@tapline/base';
import { cpuLayout } from '../interpret/cpu-layout.ts';
import { moveOf } from './base-access.ts';
import { moduleIndex } from './build-module.ts';
import type { CheckedRange } from './checked-range.ts';
import { type ControlFlow, controlFlow } from './control-flow.ts';
import { dataFlow } from './data-flow.ts';
import type { DecodedWords } from './decoded-words.ts';
import type { BlockState } from './emit-integer.ts';
import { emitInstruction } from './emit-instruction.ts';
import { type BranchTargets, findBlocks, type ReadWord } from './find-blocks.ts';
import { type GuestBlock, type PlacedInstruction, switchPlace } from './guest-block.ts';
import {
  createGuestFunction,
  deepestCall,
  exitTo,
  exitToPushed,
  type GuestFunction,
  loadFloat,
  loadResources,
  local,
  pushRegister,
  storeResources,
} from './guest-function.ts';
import { pushCondition } from './lazy-flags.ts';
import { machineLayout } from './machine-layout.ts';
import { hasResource, noResources, resource, resourceBit, union } from './resource.ts';
import { wasmOp } from './wasm.ts';

/**
 * Bytes of a function's code. JavaScriptCore does not optimise functions of more than 100,000, and
 * needs a gigabyte for one of half of that.
 */
export const codeLimit = 20_000;

const instructionLimit = 1000;

/** Instructions between the first and last place that a table of branches leads to. */
const longestTable = 4096;

export interface TranslateFunctionOptions {
  readonly readWord: ReadWord;
  readonly words: DecodedWords;
  readonly branchTargets?: BranchTargets;
  /** The index of a function of the same module, by the address where it begins. */
  readonly functionIndex: (pc: number) => number | undefined;
}

/** Whether there is anything to translate: the first instruction is not for the interpreter. */
export function isTranslatable(
  entry: number,
  code: Pick<TranslateFunctionOptions, 'readWord' | 'words'>,
): boolean {
  const first = findBlocks(entry, { ...code, limit: 1 }).get(entry);
  return first !== undefined && !(first.end.kind === 'interpret' && first.end.pc === entry);
}

export interface TranslatedCode {
  readonly code: Uint8Array<ArrayBuffer>;
  /** Where in it branches are that are seldom taken. */
  readonly unlikely: readonly number[];
  /** Places in it that are seldom come to from outside: loops, targets of tables of branches. */
  readonly inside: readonly number[];
}

/** The code of one guest function, which has to be {@link isTranslatable}. */
export function translateFunction(
  entry: number,
  options: TranslateFunctionOptions,
): TranslatedCode {
  const { readWord, words, branchTargets } = options;
  for (let limit = instructionLimit; ; limit = Math.ceil(limit / 2)) {
    const blocks = findBlocks(entry, {
      readWord,
      words,
      limit,
      ...(branchTargets === undefined ? {} : { branchTargets }),
    });
    const first = blocks.get(entry);
    if (first === undefined) {
      throw new TaplineError('a64_translation', `no code at 0x${entry.toString(16)}`);
    }
    const flow = controlFlow(blocks, first);
    const guest = createGuestFunction(dataFlow(flow, first));
    new FunctionWriter(guest, flow, options).write();
    // One instruction has room in any case.
    if (guest.body.size > codeLimit && limit > 1) continue;
    const end = blocks.get(switchPlace)?.end;
    const targets = end?.kind === 'switch' ? end.targets : [];
    const loops = [...flow.headers].map((position) => flow.order[position]?.pc ?? entry);
    const inside = [...targets, ...loops.filter((pc) => pc !== entry && pc !== switchPlace)];
    return { code: guest.body.encode(), unlikely: guest.body.unlikely(), inside };
  }
}

/**
 * Writes blocks as nested WebAssembly blocks and loops (Ramsey: "Beyond Relooper", ICFP 2022). A
 * block that has several ways in follows the end of a WebAssembly block that its dominator opens;
 * what has one is written where it is branched to. A way back to what is no loop's header leaves the
 * function: such graphs are rare, and come back by the branch cache.
 */
class FunctionWriter {
  readonly #guest: GuestFunction;
  readonly #flow: ControlFlow;
  readonly #options: TranslateFunctionOptions;
  readonly #children: readonly (readonly number[])[];
  /** The depth of the open loop or block that leads to a place. */
  readonly #loops: Map<number, number> = new Map();
  readonly #blocks: Map<number, number> = new Map();

  constructor(guest: GuestFunction, flow: ControlFlow, options: TranslateFunctionOptions) {
    this.#guest = guest;
    this.#flow = flow;
    this.#options = options;
    const children: number[][] = flow.order.map(() => []);
    for (const [index, dominator] of flow.dominators.entries()) {
      // Those that come last are written last, so their blocks are the outer ones.
      if (index > 0 && flow.merges.has(index)) children[dominator]?.unshift(index);
    }
    this.#children = children;
  }

  write(): void {
    const guest = this.#guest;
    const { body, flow } = guest;
    const entry = this.#flow.order[0]?.pc ?? 0;
    loadResources(guest, flow.entry);
    if (flow.usesFloat) loadFloat(guest);
    if (flow.costsFuel) {
      this.#spendFuel();
      storeResources(guest, resourceBit(resource.fuel));
      body.i64(entry);
      body.op(wasmOp.return);
      body.end();
      body.end();
    }
    // The end of each block is a way out, the innermost that of the last one.
    for (let exit = 0; exit < flow.exits.length; exit++) body.open(wasmOp.block);
    this.#writeTree(0, nothingKnown());
    body.op(wasmOp.unreachable);
    for (const dirty of flow.exits.toReversed()) {
      body.end();
      storeResources(guest, dirty);
      body.get(local.pc);
      body.op(wasmOp.return);
    }
    body.op(wasmOp.unreachable);
  }

  #writeTree(position: number, state: BlockState): void {
    const { body } = this.#guest;
    const block = this.#flow.order[position];
    if (block === undefined) return;
    const merging = this.#children[position] ?? [];
    if (!this.#flow.headers.has(position)) {
      this.#writeWithin(block, merging, state);
      return;
    }
    body.open(wasmOp.loop);
    this.#loops.set(position, body.depth);
    this.#writeFuel(block.pc);
    this.#writeWithin(block, merging, nothingKnown());
    this.#loops.delete(position);
    body.end();
  }

  #writeWithin(block: GuestBlock, merging: readonly number[], state: BlockState): void {
    const { body } = this.#guest;
    const [outer, ...inner] = merging;
    if (outer === undefined) {
      this.#writeBlock(block, state);
      return;
    }
    body.open(wasmOp.block);
    this.#blocks.set(outer, body.depth);
    this.#writeWithin(block, inner, state);
    this.#blocks.delete(outer);
    body.end();
    this.#writeTree(outer, nothingKnown());
  }

  #writeBlock(block: GuestBlock, state: BlockState): void {
    const guest = this.#guest;
    const { flow } = guest;
    for (const [at, placed] of block.instructions.entries()) {
      guest.dirty = flow.dirtyBefore.get(placed.pc) ?? noResources;
      const { numbers } = state;
      this.#writeInstruction(placed, block.instructions.slice(at), state);
      // Who computes a number says so by a map of its own; all else that is written is none.
      if (state.numbers === numbers) state.numbers = withoutWritten(numbers, placed);
      state.checked = moveRanges(state.checked, placed);
    }
    const { end } = block;
    guest.dirty = flow.dirtyAtEnd.get(block.pc) ?? noResources;
    const from = this.#flow.positions.get(block.pc) ?? 0;
    switch (end.kind) {
      case 'jump':
        this.#writeBranch(from, end.to, state);
        break;
      case 'branch': {
        const { body } = guest;
        const { dirty } = guest;
        this.#pushBranchCondition(block.instructions.at(-1), state);
        body.open(wasmOp.if);
        this.#writeBranch(from, end.taken, { ...state });
        body.op(wasmOp.else);
        guest.dirty = dirty;
        this.#writeBranch(from, end.next, { ...state });
        body.end();
        break;
      }
      case 'indirect':
        if (end.known) this.#writeKnown(block.instructions.at(-1), from, state);
        else this.#writeIndirect(block.instructions.at(-1));
        break;
      case 'switch':
        this.#writeSwitch(from, end.targets);
        break;
      case 'interpret':
        exitTo(guest, end.pc, true);
    }
  }

  #writeBranch(from: number, pc: number, state: BlockState): void {
    const { body } = this.#guest;
    const to = this.#flow.positions.get(pc);
    if (to === undefined) {
      this.#writeJump(pc);
      return;
    }
    if (to > from && !this.#flow.merges.has(to)) {
      this.#writeTree(to, state);
      return;
    }
    const depth = (to > from ? this.#blocks : this.#loops).get(to);
    if (depth === undefined) this.#writeJump(pc);
    else body.branch(wasmOp.br, depth);
  }

  /** Goes on in another function, without coming back to this one. */
  #writeJump(pc: number): void {
    const guest = this.#guest;
    const { body } = guest;
    const index = this.#options.functionIndex(pc);
    storeResources(guest, guest.dirty);
    // The table of the function is no address; what it was to go on at is one.
    if (pc === switchPlace) body.get(local.target);
    else if (index === undefined) body.i64(pc);
    body.get(local.depth);
    body.returnCall(index ?? moduleIndex.jump);
  }

  #writeInstruction(
    placed: PlacedInstruction,
    ahead: readonly PlacedInstruction[],
    state: BlockState,
  ): void {
    const { pc, instruction } = placed;
    const guest = this.#guest;
    switch (instruction.kind) {
      case 'branch-conditional':
      case 'compare-branch':
      case 'test-branch':
        return;
      case 'branch':
        if (!instruction.link) return;
        guest.body.i64(pc + instruction.offset);
        guest.body.set(local.long);
        this.#writeCall(pc, this.#options.functionIndex(pc + instruction.offset));
        break;
      case 'branch-register':
        if (instruction.op !== 'blr') return;
        this.#writeTarget(pc, instruction.rn);
        this.#writeCall(pc, undefined);
        break;
      case 'exception':
        this.#writeSystemCall(pc);
        break;
      default:
        emitInstruction(guest, { placed, ahead, state });
        return;
    }
    state.flags = undefined;
    state.checked = [];
    state.numbers = new Map();
  }

  /** A call of what `long` says; what does not come back to the next instruction is passed on. */
  #writeCall(pc: number, functionIndex: number | undefined): void {
    const guest = this.#guest;
    const { body } = guest;
    const back = pc + 4;
    body.i64(back);
    body.set(local.general + 30);
    storeResources(guest, union(guest.dirty, resourceBit(30)));
    body.get(local.depth);
    body.i32(deepestCall);
    body.op(wasmOp.i32GtU);
    body.openUnlikely();
    body.get(local.long);
    body.op(wasmOp.return);
    body.end();
    if (functionIndex === undefined) body.get(local.long);
    body.get(local.depth);
    body.i32(1);
    body.op(wasmOp.i32Add);
    body.call(functionIndex ?? moduleIndex.dispatch);
    body.tee(local.pc);
    body.i64(back);
    body.op(wasmOp.i64Ne);
    body.openUnlikely();
    body.get(local.pc);
    body.op(wasmOp.return);
    body.end();
    this.#reload(pc);
  }

  #reload(pc: number): void {
    const guest = this.#guest;
    loadResources(guest, guest.flow.afterCall.get(pc) ?? noResources);
    if (guest.flow.usesFloat) loadFloat(guest);
  }

  /** The system is asked from within, so that what called does not have to be left. */
  #writeSystemCall(pc: number): void {
    const guest = this.#guest;
    const { body } = guest;
    const place = machineLayout.state + cpuLayout.pc;
    storeResources(guest, guest.dirty);
    body.i32(0);
    body.i64(pc + 4);
    body.memory(wasmOp.i64Store, place);
    body.call(moduleIndex.system);
    body.tee(local.word);
    body.openUnlikely();
    body.i64Lowest(pc);
    body.i32(0);
    body.memory(wasmOp.i64Load, place);
    body.get(local.word);
    body.i32(1);
    body.op(wasmOp.i32Eq, wasmOp.select, wasmOp.return);
    body.end();
    this.#reload(pc);
  }

  /** Takes one unit of fuel, and opens two blocks for where there was none and is not more either. */
  #spendFuel(): void {
    const { body } = this.#guest;
    body.get(local.fuel);
    body.i32(1);
    body.op(wasmOp.i32Sub);
    body.tee(local.fuel);
    body.i32(0);
    body.op(wasmOp.i32LtS);
    body.openUnlikely();
    body.call(moduleIndex.refuel);
    body.tee(local.fuel);
    body.i32(0);
    body.op(wasmOp.i32LtS);
    body.openUnlikely();
  }

  /** Each turn of a loop costs one; without any left it is the host's turn. */
  #writeFuel(pc: number): void {
    const guest = this.#guest;
    const { body, flow } = guest;
    guest.dirty = union(flow.dirtyAtStart.get(pc) ?? noResources, resourceBit(resource.fuel));
    this.#spendFuel();
    if (pc === switchPlace) {
      body.get(local.target);
      exitToPushed(guest);
    } else exitTo(guest, pc, false);
    body.end();
    body.end();
  }

  /** A BR of which places are known that it goes to: through the one table of the function. */
  #writeKnown(placed: PlacedInstruction | undefined, from: number, state: BlockState): void {
    if (placed?.instruction.kind !== 'branch-register') return;
    this.#writeTarget(placed.pc, placed.instruction.rn);
    this.#guest.body.get(local.long);
    this.#guest.body.set(local.target);
    this.#writeBranch(from, switchPlace, state);
  }

  #writeSwitch(from: number, targets: readonly number[]): void {
    const guest = this.#guest;
    const { body } = guest;
    const depths = new Map<number, number>();
    for (const target of targets) {
      const to = this.#flow.positions.get(target);
      if (to === undefined) continue;
      const depth = (to > from ? this.#blocks : this.#loops).get(to);
      if (depth !== undefined) depths.set(target, depth);
    }
    body.open(wasmOp.block);
    const other = body.depth;
    const first = Math.min(...depths.keys());
    const count = (Math.max(...depths.keys()) - first) / 4 + 1;
    if (depths.size > 0 && count <= longestTable) {
      body.get(local.target);
      body.i64(first);
      body.op(wasmOp.i64Sub, wasmOp.i32WrapI64);
      // What is no multiple of four becomes large.
      body.i32(2);
      body.op(wasmOp.i32Rotr);
      body.branchTable(
        Array.from({ length: count }, (_, at) => depths.get(first + 4 * at) ?? other),
        other,
      );
    }
    body.end();
    storeResources(guest, guest.dirty);
    body.get(local.target);
    body.get(local.depth);
    body.returnCall(moduleIndex.jump);
  }

  #pushBranchCondition(placed: PlacedInstruction | undefined, state: BlockState): void {
    const guest = this.#guest;
    const { body } = guest;
    const instruction = placed?.instruction;
    switch (instruction?.kind) {
      case 'branch-conditional':
        state.flags = pushCondition(body, instruction.condition, state.flags);
        break;
      case 'compare-branch':
        pushRegister(guest, instruction.rt, instruction.wide);
        body.op(instruction.wide ? wasmOp.i64Eqz : wasmOp.i32Eqz);
        if (instruction.op === 'cbnz') body.op(wasmOp.i32Eqz);
        break;
      case 'test-branch':
        pushRegister(guest, instruction.rt, true);
        body.i64(1n << BigInt(instruction.bit));
        body.op(wasmOp.i64And, wasmOp.i64Eqz);
        if (instruction.op === 'tbnz') body.op(wasmOp.i32Eqz);
        break;
      default:
        body.i32(1);
    }
  }

  /** Into `long`; addresses that no code can have, or that have a tag, are the interpreter's. */
  #writeTarget(pc: number, register: number): void {
    const { body } = this.#guest;
    pushRegister(this.#guest, register, true);
    body.tee(local.long);
    body.i64(0xffffffff00000003n);
    body.op(wasmOp.i64And, wasmOp.i64Eqz, wasmOp.i32Eqz);
    body.openUnlikely();
    exitTo(this.#guest, pc, true);
    body.end();
  }

  /** RET hands the address to the caller; BR goes on there, without coming back here. */
  #writeIndirect(placed: PlacedInstruction | undefined): void {
    const guest = this.#guest;
    const { body } = guest;
    if (placed?.instruction.kind !== 'branch-register') return;
    const { op, rn } = placed.instruction;
    this.#writeTarget(placed.pc, rn);
    storeResources(guest, guest.dirty);
    body.get(local.long);
    if (op === 'br') {
      body.get(local.depth);
      body.returnCall(moduleIndex.jump);
    } else body.op(wasmOp.return);
  }
}

function nothingKnown(): BlockState {
  return { flags: undefined, checked: [], numbers: new Map() };
}

function withoutWritten(
  numbers: ReadonlyMap<number, 32 | 64>,
  { writes }: PlacedInstruction,
): ReadonlyMap<number, 32 | 64> {
  if (numbers.size === 0 || writes.vector === 0) return numbers;
  const isWritten = (register: number): boolean => (writes.vector & (1 << register)) !== 0;
  if (![...numbers.keys()].some(isWritten)) return numbers;
  return new Map([...numbers].filter(([register]) => !isWritten(register)));
}

/** What is known from registers on, after an instruction may have moved them. */
function moveRanges(
  ranges: readonly CheckedRange[],
  placed: PlacedInstruction,
): readonly CheckedRange[] {
  if (!ranges.some(({ base }) => hasResource(placed.writes, base))) return ranges;
  return ranges.flatMap((range) => {
    const by = moveOf(placed, range.base);
    if (by === undefined) return [];
    return by === 0 ? [range] : [{ ...range, from: range.from - by, end: range.end - by }];
  });
}
