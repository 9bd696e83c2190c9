import { TaplineError } from '@tapline/base';
import { cpuLayout } from '../interpret/cpu-layout.ts';
import { moduleIndex } from './build-module.ts';
import { type ControlFlow, controlFlow } from './control-flow.ts';
import type { BlockState } from './emit-integer.ts';
import { emitInstruction } from './emit-instruction.ts';
import { findBlocks, type ReadWord } from './find-blocks.ts';
import type { GuestBlock, PlacedInstruction } from './guest-block.ts';
import {
  createGuestFunction,
  exitTo,
  type GuestFunction,
  loadFlags,
  loadRegisters,
  local,
  pushRegister,
  storeFlags,
  storeRegisters,
} from './guest-function.ts';
import { pushCondition } from './lazy-flags.ts';
import { wasmOp } from './wasm.ts';

/**
 * Bytes of a function's code. JavaScriptCore does not optimise functions of more than 100,000, and
 * needs a gigabyte for one of half of that.
 */
export const codeLimit = 20_000;

const instructionLimit = 1000;

/** Calls within calls; deeper ones are made from the host, which has no stack to run out of. */
const deepestCall = 500;

export interface TranslateFunctionOptions {
  readonly readWord: ReadWord;
  /** The index of a function of the same module, by the address where it begins. */
  readonly functionIndex: (pc: number) => number | undefined;
}

/** Whether there is anything to translate: the first instruction is not for the interpreter. */
export function isTranslatable(entry: number, readWord: ReadWord): boolean {
  const first = findBlocks(entry, { readWord, limit: 1 }).get(entry);
  return first !== undefined && !(first.end.kind === 'interpret' && first.end.pc === entry);
}

/** The code of one guest function, which has to be {@link isTranslatable}. */
export function translateFunction(
  entry: number,
  options: TranslateFunctionOptions,
): Uint8Array<ArrayBuffer> {
  for (let limit = instructionLimit; ; limit = Math.ceil(limit / 2)) {
    const blocks = findBlocks(entry, { readWord: options.readWord, limit });
    const first = blocks.get(entry);
    if (first === undefined) {
      throw new TaplineError('a64_translation', `no code at 0x${entry.toString(16)}`);
    }
    const guest = createGuestFunction(blocks.values());
    new FunctionWriter(guest, controlFlow(blocks, first), options).write();
    // One instruction has room in any case.
    if (guest.body.size <= codeLimit || limit === 1) return guest.body.encode();
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
    const { body } = guest;
    body.global(moduleIndex.stateGlobal);
    body.set(local.state);
    loadRegisters(guest, guest.used);
    if (guest.usesFlags) loadFlags(guest);
    body.open(wasmOp.block);
    this.#writeTree(0, { flags: undefined });
    body.end();
    storeRegisters(guest, guest.written);
    if (guest.usesFlags) storeFlags(guest);
    body.get(local.pc);
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
    this.#writeWithin(block, merging, { flags: undefined });
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
    this.#writeTree(outer, { flags: undefined });
  }

  #writeBlock(block: GuestBlock, state: BlockState): void {
    for (const placed of block.instructions) this.#writeInstruction(placed, state);
    const { end } = block;
    const from = this.#flow.positions.get(block.pc) ?? 0;
    switch (end.kind) {
      case 'jump':
        this.#writeBranch(from, end.to, state);
        break;
      case 'branch': {
        const { body } = this.#guest;
        this.#pushBranchCondition(block.instructions.at(-1), state);
        body.open(wasmOp.if);
        this.#writeBranch(from, end.taken, { ...state });
        body.op(wasmOp.else);
        this.#writeBranch(from, end.next, { ...state });
        body.end();
        break;
      }
      case 'indirect':
        this.#writeIndirect(block.instructions.at(-1));
        break;
      case 'interpret':
        exitTo(this.#guest, end.pc, true);
    }
  }

  #writeBranch(from: number, pc: number, state: BlockState): void {
    const { body } = this.#guest;
    const to = this.#flow.positions.get(pc);
    if (to === undefined) {
      exitTo(this.#guest, pc, false);
      return;
    }
    if (to > from && !this.#flow.merges.has(to)) {
      this.#writeTree(to, state);
      return;
    }
    const depth = (to > from ? this.#blocks : this.#loops).get(to);
    if (depth === undefined) exitTo(this.#guest, pc, false);
    else body.branch(wasmOp.br, depth);
  }

  #writeInstruction(placed: PlacedInstruction, state: BlockState): void {
    const { pc, instruction } = placed;
    const guest = this.#guest;
    switch (instruction.kind) {
      case 'branch-conditional':
      case 'compare-branch':
      case 'test-branch':
        return;
      case 'branch':
        if (!instruction.link) return;
        guest.body.i64(BigInt(pc + instruction.offset));
        guest.body.set(local.long);
        this.#writeCall(pc, this.#options.functionIndex(pc + instruction.offset));
        break;
      case 'branch-register':
        if (instruction.op !== 'blr') return;
        this.#writeTarget(pc, instruction.rn);
        this.#writeCall(pc, undefined);
        break;
      default:
        emitInstruction(guest, placed, state);
        return;
    }
    state.flags = { kind: 'ready' };
  }

  /** A call of what `long` says; what does not come back to the next instruction is passed on. */
  #writeCall(pc: number, functionIndex: number | undefined): void {
    const guest = this.#guest;
    const { body } = guest;
    const back = BigInt(pc + 4);
    body.i64(back);
    body.set(30);
    storeRegisters(guest, guest.written);
    if (guest.usesFlags) storeFlags(guest);
    this.#writeDepth(1);
    body.get(local.word);
    body.i32(deepestCall);
    body.op(wasmOp.i32GtU);
    body.open(wasmOp.if);
    body.get(local.long);
    body.op(wasmOp.return);
    body.end();
    if (functionIndex === undefined) {
      body.get(local.long);
      body.call(moduleIndex.dispatch);
    } else body.call(functionIndex);
    body.tee(local.pc);
    body.i64(back);
    body.op(wasmOp.i64Ne);
    body.open(wasmOp.if);
    body.get(local.pc);
    body.op(wasmOp.return);
    body.end();
    this.#writeDepth(-1);
    loadRegisters(guest, guest.used);
    if (guest.usesFlags) loadFlags(guest);
  }

  /** Counts calls that are open; the count is in `word`, too. */
  #writeDepth(change: number): void {
    const { body } = this.#guest;
    body.get(local.state);
    body.get(local.state);
    body.memory(wasmOp.i32Load, cpuLayout.depth);
    body.i32(change);
    body.op(wasmOp.i32Add);
    body.tee(local.word);
    body.memory(wasmOp.i32Store, cpuLayout.depth);
  }

  /** Each turn of a loop costs one; without any left it is the host's turn. */
  #writeFuel(pc: number): void {
    const { body } = this.#guest;
    body.get(local.state);
    body.get(local.state);
    body.memory(wasmOp.i32Load, cpuLayout.fuel);
    body.i32(1);
    body.op(wasmOp.i32Sub);
    body.tee(local.word);
    body.memory(wasmOp.i32Store, cpuLayout.fuel);
    body.get(local.word);
    body.i32(0);
    body.op(wasmOp.i32LtS);
    body.open(wasmOp.if);
    exitTo(this.#guest, pc, false);
    body.end();
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
    body.i64(32n);
    body.op(wasmOp.i64ShrU, wasmOp.i64Eqz, wasmOp.i32Eqz);
    body.open(wasmOp.if);
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
    storeRegisters(guest, guest.written);
    if (guest.usesFlags) storeFlags(guest);
    body.get(local.long);
    if (op === 'br') body.returnCall(moduleIndex.dispatch);
    else body.op(wasmOp.return);
  }
}
