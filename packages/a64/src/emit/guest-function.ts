import { cpuLayout } from '../interpret/cpu-layout.ts';
import { moduleIndex } from './build-module.ts';
import type { DataFlow } from './data-flow.ts';
import { FunctionBody } from './function-body.ts';
import { machineLayout } from './machine-layout.ts';
import type { RegisterEffects } from './register-effects.ts';
import {
  intersection,
  listResources,
  noResources,
  resource,
  resourceBit,
  type Resources,
  resourcesOf,
  union,
} from './resource.ts';
import { simdOp, valueType, wasmOp } from './wasm.ts';

/** Locals. The first is a parameter: how many calls of translated code are open. */
export const local = {
  depth: 0,
  /** X0–X30 and SP follow each other from here. */
  general: 1,
  /** Where to go on, at an exit. */
  pc: 33,
  /** What flags follow from, by `flagsKind`; or they are N, Z, C, V as bits 3 to 0 of `nzcv`. */
  flagsA: 34,
  flagsB: 35,
  /** For the moment. */
  long: 36,
  otherLong: 37,
  nzcv: 38,
  flagsKind: 39,
  word: 40,
  fuel: 41,
  /** 0 where floating point is the interpreter's, 1 where exact results are not, 2 where none is. */
  float: 42,
  double: 43,
  single: 44,
  /** Where a known register says to go on. */
  target: 45,
  /** V0–V31; from here on only where a function has vectors. */
  vectors: 46,
  quad: 78,
  otherQuad: 79,
  /**
   * The low numbers of V0–V31 once more, where a block has just computed them; only where a function
   * computes with numbers.
   */
  doubles: 80,
  singles: 112,
} as const;

const zeroRegister = 32;

/** The function that is being written, and what all parts of it share. */
export interface GuestFunction {
  readonly body: FunctionBody;
  readonly flow: DataFlow;
  /** What may differ from the state before the instruction that is being written. */
  dirty: Resources;
  /** Of one instruction only: it answers 1, with nothing changed, where the interpreter is to do it. */
  readonly alone?: boolean;
}

function many(type: number, count: number): readonly number[] {
  return Array.from({ length: count }, () => type);
}

export function createGuestFunction(flow: DataFlow): GuestFunction {
  const { i32, i64, f32, f64, v128 } = valueType;
  // Compilers that do not optimise set all of them to zero, so none is declared in vain.
  const locals = [
    ...many(i64, 37),
    ...many(i32, 5),
    f64,
    f32,
    i64,
    ...(flow.usesVectors ? many(v128, 34) : []),
    ...(flow.usesFloat ? [...many(f64, 32), ...many(f32, 32)] : []),
  ];
  const body = new FunctionBody(locals, 1);
  return { body, flow, dirty: noResources };
}

/** Puts a register on the stack, 64 bits or the low 32. */
export function pushRegister({ body }: GuestFunction, register: number, wide: boolean): void {
  if (register === zeroRegister) {
    if (wide) body.i64(0n);
    else body.i32(0);
    return;
  }
  body.get(local.general + register);
  if (!wide) body.op(wasmOp.i32WrapI64);
}

/** Takes a register's value from the stack; of 32 bits the upper half is cleared. */
export function popRegister({ body }: GuestFunction, register: number, wide: boolean): void {
  if (register === zeroRegister) {
    body.op(wasmOp.drop);
    return;
  }
  if (!wide) body.op(wasmOp.i64ExtendI32U);
  body.set(local.general + register);
}

export function pushVector({ body }: GuestFunction, register: number): void {
  body.get(local.vectors + register);
}

/** Takes a vector; one of 64 bits has zeros above it. */
export function popVector({ body }: GuestFunction, register: number, full: boolean): void {
  if (!full) {
    body.i64(0n);
    body.simdLane(simdOp.i64x2Replace, 1);
  }
  body.set(local.vectors + register);
}

/** Takes 64 bits for the lower half of a register, with zeros above them. */
export function popLow({ body }: GuestFunction, register: number): void {
  body.set(local.long);
  body.simdZero();
  body.get(local.long);
  body.simdLane(simdOp.i64x2Replace, 0);
  body.set(local.vectors + register);
}

const { state } = machineLayout;

/** Has locals be what the state says. */
export function loadResources(guest: GuestFunction, set: Resources): void {
  const { body } = guest;
  for (const each of listResources(set)) {
    if (each === resource.flags) loadFlags(guest);
    else if (each === resource.fuel) {
      body.i32(0);
      body.memory(wasmOp.i32Load, state + cpuLayout.fuel);
      body.set(local.fuel);
    } else if (each >= resource.vector) {
      const register = each - resource.vector;
      body.i32(0);
      body.simdMemory(simdOp.load, state + cpuLayout.vector + register * 16);
      body.set(local.vectors + register);
    } else {
      body.i32(0);
      body.memory(wasmOp.i64Load, state + cpuLayout.general + each * 8);
      body.set(local.general + each);
    }
  }
}

/** Has the state be what locals say. */
export function storeResources(guest: GuestFunction, set: Resources): void {
  const { body } = guest;
  for (const each of listResources(set)) {
    if (each === resource.flags) storeFlags(guest);
    else if (each === resource.fuel) {
      body.i32(0);
      body.get(local.fuel);
      body.memory(wasmOp.i32Store, state + cpuLayout.fuel);
    } else if (each >= resource.vector) {
      const register = each - resource.vector;
      body.i32(0);
      body.get(local.vectors + register);
      body.simdMemory(simdOp.store, state + cpuLayout.vector + register * 16);
    } else {
      body.i32(0);
      body.get(local.general + each);
      body.memory(wasmOp.i64Store, state + cpuLayout.general + each * 8);
    }
  }
}

const flagParts = [
  [local.nzcv, cpuLayout.nzcv, wasmOp.i32Load, wasmOp.i32Store],
  [local.flagsKind, cpuLayout.flagsKind, wasmOp.i32Load, wasmOp.i32Store],
  [local.flagsA, cpuLayout.flagsA, wasmOp.i64Load, wasmOp.i64Store],
  [local.flagsB, cpuLayout.flagsB, wasmOp.i64Load, wasmOp.i64Store],
] as const;

function loadFlags({ body }: GuestFunction): void {
  for (const [to, place, load] of flagParts) {
    body.i32(0);
    body.memory(load, state + place);
    body.set(to);
  }
}

/** As what they follow from: computing them is left to who asks. */
function storeFlags({ body }: GuestFunction): void {
  for (const [from, place, , store] of flagParts) {
    body.i32(0);
    body.get(from);
    body.memory(store, state + place);
  }
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
export function exitTo(guest: GuestFunction, pc: number, interpret: boolean): void {
  if (guest.alone === true) {
    giveUp(guest);
    return;
  }
  if (interpret) guest.body.i64Lowest(pc);
  else guest.body.i64(pc);
  exitToPushed(guest);
}

/** Leaves the function for where the stack says. */
export function exitToPushed({ body, flow, dirty }: GuestFunction): void {
  body.set(local.pc);
  body.branch(wasmOp.br, flow.exitOf(dirty) + 1);
}

/** Calls within calls; deeper ones are made from the host, which has no stack to run out of. */
export const deepestCall = 500;

/** In what a function returns: the instruction there is for the interpreter. See `i64Lowest`. */
export const interpretFirst: bigint = 1n << 63n;

function giveUp({ body }: GuestFunction): void {
  body.i64(1n);
  body.op(wasmOp.return);
}

/** Has the interpreter run one instruction in between. */
export function emitStep(
  guest: GuestFunction,
  step: { readonly pc: number; readonly effects: RegisterEffects },
): void {
  if (guest.alone === true) {
    giveUp(guest);
    return;
  }
  const { body, flow } = guest;
  const { reads, writes, readsFlags, writesFlags } = step.effects;
  const flags = resourceBit(resource.flags);
  const read = union(resourcesOf(reads), readsFlags ? flags : noResources);
  storeResources(guest, intersection(read, guest.dirty));
  body.i32(0);
  body.i64(step.pc);
  body.memory(wasmOp.i64Store, state + cpuLayout.pc);
  body.call(moduleIndex.step);
  body.openUnlikely();
  exitTo(guest, step.pc, true);
  body.end();
  loadResources(guest, union(resourcesOf(writes), writesFlags ? flags : noResources));
  if (flow.usesFloat) loadFloat(guest);
}

/** Finds out what floating point may be written out. */
export function loadFloat({ body }: GuestFunction): void {
  body.i32(0);
  body.memory(wasmOp.i32Load, state + cpuLayout.fpsr);
  body.i32(4);
  body.op(wasmOp.i32ShrU);
  body.i32(1);
  body.op(wasmOp.i32And);
  body.i32(1);
  body.op(wasmOp.i32Add);
  body.i32(0);
  body.i32(0);
  body.memory(wasmOp.i32Load, state + cpuLayout.fpcr);
  body.op(wasmOp.i32Eqz, wasmOp.select);
  body.set(local.float);
}
