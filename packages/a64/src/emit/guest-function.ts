import { cpuLayout } from '../interpret/cpu-layout.ts';
import { moduleIndex } from './build-module.ts';
import type { GuestBlock } from './guest-block.ts';
import { FunctionBody } from './function-body.ts';
import { registerEffects, type RegisterEffects } from './register-effects.ts';
import { valueType, wasmOp } from './wasm.ts';

/** Locals after those of X0–X30 and SP, which are the first 32. */
export const local = {
  /** Where to go on, at an exit. */
  pc: 32,
  /** N, Z, C, V as bits 3 to 0, where `flagsKind` is `ready`. */
  nzcv: 33,
  /** Where the processor's state is in memory. */
  state: 34,
  /** How the flags follow from their operands; {@link flagsKind}. */
  flagsKind: 35,
  flagsA: 36,
  flagsB: 37,
  /** For the moment. */
  long: 38,
  otherLong: 39,
  word: 40,
  double: 41,
  single: 42,
} as const;

/** What set the flags last. Odd ones are of 64 bits, the even one after each of 32. */
export const flagsKind = { ready: 0, subtract: 1, add: 3, logical: 5 } as const;

const zeroRegister = 32;

/** The function that is being written, and what all parts of it share. */
export interface GuestFunction {
  readonly body: FunctionBody;
  /** Registers that are kept in locals, and those among them that may have changed. */
  readonly used: ReadonlySet<number>;
  readonly written: ReadonlySet<number>;
  readonly usesFlags: boolean;
}

export function createGuestFunction(blocks: Iterable<GuestBlock>): GuestFunction {
  const { i32, i64, f32, f64 } = valueType;
  const longs = Array.from({ length: 33 }, () => i64);
  const used = new Set<number>();
  const written = new Set<number>();
  let usesFlags = false;
  for (const { instructions } of blocks) {
    for (const { instruction } of instructions) {
      const { reads, writes, readsFlags, writesFlags } = registerEffects(instruction);
      for (const register of [...reads, ...writes]) {
        if (register !== zeroRegister) used.add(register);
      }
      for (const register of writes) if (register !== zeroRegister) written.add(register);
      usesFlags ||= readsFlags || writesFlags;
    }
  }
  const body = new FunctionBody([...longs, i32, i32, i32, i64, i64, i64, i64, i32, f64, f32]);
  return { body, used, written, usesFlags };
}

/** Puts a register on the stack, 64 bits or the low 32. */
export function pushRegister({ body }: GuestFunction, register: number, wide: boolean): void {
  if (register === zeroRegister) {
    if (wide) body.i64(0n);
    else body.i32(0);
    return;
  }
  body.get(register);
  if (!wide) body.op(wasmOp.i32WrapI64);
}

/** Takes a register's value from the stack; of 32 bits the upper half is cleared. */
export function popRegister({ body }: GuestFunction, register: number, wide: boolean): void {
  if (register === zeroRegister) {
    body.op(wasmOp.drop);
    return;
  }
  if (!wide) body.op(wasmOp.i64ExtendI32U);
  body.set(register);
}

export function loadRegisters({ body }: GuestFunction, registers: Iterable<number>): void {
  for (const register of registers) {
    if (register === zeroRegister) continue;
    body.get(local.state);
    body.memory(wasmOp.i64Load, cpuLayout.general + register * 8);
    body.set(register);
  }
}

export function storeRegisters({ body }: GuestFunction, registers: Iterable<number>): void {
  for (const register of registers) {
    if (register === zeroRegister) continue;
    body.get(local.state);
    body.get(register);
    body.memory(wasmOp.i64Store, cpuLayout.general + register * 8);
  }
}

/** The flags of the state, as they are after the function's own. */
export function loadFlags({ body }: GuestFunction): void {
  body.get(local.state);
  body.memory(wasmOp.i32Load, cpuLayout.nzcv);
  body.set(local.nzcv);
  body.i32(flagsKind.ready);
  body.set(local.flagsKind);
}

/** Makes `nzcv` ready, whatever set the flags, and stores it. */
export function storeFlags({ body }: GuestFunction): void {
  body.get(local.state);
  pushFlagsCall(body);
  body.memory(wasmOp.i32Store, cpuLayout.nzcv);
}

/** N, Z, C, V from what `flagsKind` says. */
export function pushFlagsCall(body: FunctionBody): void {
  body.get(local.flagsKind);
  body.get(local.flagsA);
  body.get(local.flagsB);
  body.get(local.nzcv);
  body.call(moduleIndex.flags);
}

/** Leaves the function for the instruction at `pc`, which the interpreter is to run. */
export function exitTo({ body }: GuestFunction, pc: number, interpret: boolean): void {
  body.i64(BigInt(pc) | (interpret ? interpretFirst : 0n));
  body.set(local.pc);
  body.branch(wasmOp.br, 1);
}

/** In what a function returns: the instruction there is for the interpreter. */
export const interpretFirst: bigint = 1n << 63n;

/** Has the interpreter run one instruction in between. */
export function emitStep(
  guest: GuestFunction,
  step: { readonly pc: number; readonly effects: RegisterEffects },
): void {
  const { body } = guest;
  const { reads, writes, readsFlags, writesFlags } = step.effects;
  storeRegisters(guest, new Set(reads));
  if (readsFlags) storeFlags(guest);
  body.get(local.state);
  body.i64(BigInt(step.pc));
  body.memory(wasmOp.i64Store, cpuLayout.pc);
  body.call(moduleIndex.step);
  body.open(wasmOp.if);
  exitTo(guest, step.pc, true);
  body.end();
  loadRegisters(guest, new Set(writes));
  if (writesFlags) loadFlags(guest);
}
