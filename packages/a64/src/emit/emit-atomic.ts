import { spanPermission } from '../interpret/linear-memory.ts';
import { cpuLayout } from '../interpret/cpu-layout.ts';
import type { MemoryInstruction } from '../memory-instruction.ts';
import { emitCheck } from './emit-address.ts';
import { type AccessContext, placeOfBase } from './emit-memory.ts';
import { type GuestFunction, local, popRegister, pushRegister } from './guest-function.ts';
import { machineLayout } from './machine-layout.ts';
import { wasmOp, type WasmOp } from './wasm.ts';

type Of<Kind extends MemoryInstruction['kind']> = Extract<
  MemoryInstruction,
  { readonly kind: Kind }
>;

const loads: readonly WasmOp[] = [
  wasmOp.i64Load8U,
  wasmOp.i64Load16U,
  wasmOp.i64Load32U,
  wasmOp.i64Load,
];
const stores: readonly WasmOp[] = [
  wasmOp.i64Store8,
  wasmOp.i64Store16,
  wasmOp.i64Store32,
  wasmOp.i64Store,
];
const extensions = [wasmOp.i64Extend8S, wasmOp.i64Extend16S, wasmOp.i64Extend32S];
const exclusive = machineLayout.state + cpuLayout.exclusive;
const exclusiveAddress = machineLayout.state + cpuLayout.exclusiveAddress;
const exclusiveValue = machineLayout.state + cpuLayout.exclusiveValues;

function loadOf(size: number): WasmOp {
  return loads[size] ?? wasmOp.i64Load;
}

function storeOf(size: number): WasmOp {
  return stores[size] ?? wasmOp.i64Store;
}

/** The low bits of a register, as a number of that size. */
function pushUnsigned(guest: GuestFunction, register: number, size: number): void {
  pushRegister(guest, register, true);
  if (size === 3) return;
  guest.body.i64((1n << BigInt(8 << size)) - 1n);
  guest.body.op(wasmOp.i64And);
}

/** LDADD and its like: one guest thread runs at a time, so that a load and a store will do. */
export function emitAtomic(
  guest: GuestFunction,
  instruction: Of<'atomic'>,
  context: AccessContext,
): void {
  const { body } = guest;
  const { operation, size, rs, rt } = instruction;
  const place = placeOfBase(guest, instruction, context);
  if (place === undefined) return;
  body.get(place.address);
  body.memory(loadOf(size), place.offset);
  body.set(local.long);
  body.get(place.address);
  const binary = (op: WasmOp): void => {
    body.get(local.long);
    pushRegister(guest, rs, true);
    body.op(op);
  };
  switch (operation) {
    case 'add':
      binary(wasmOp.i64Add);
      break;
    case 'eor':
      binary(wasmOp.i64Xor);
      break;
    case 'set':
      binary(wasmOp.i64Or);
      break;
    case 'clr':
      body.get(local.long);
      pushRegister(guest, rs, true);
      body.i64(-1n);
      body.op(wasmOp.i64Xor, wasmOp.i64And);
      break;
    case 'swp':
      pushRegister(guest, rs, true);
      break;
    default: {
      const signed = operation.startsWith('s');
      const extend = (): void => {
        const extension = extensions[size];
        if (signed && extension !== undefined) body.op(extension);
      };
      body.get(local.long);
      pushUnsigned(guest, rs, size);
      body.get(local.long);
      extend();
      pushUnsigned(guest, rs, size);
      extend();
      const greatest = operation.endsWith('max');
      const above = signed ? wasmOp.i64GtS : wasmOp.i64GtU;
      const below = signed ? wasmOp.i64LtS : wasmOp.i64LtU;
      body.op(greatest ? above : below, wasmOp.select);
    }
  }
  body.memory(storeOf(size), place.offset);
  body.get(local.long);
  popRegister(guest, rt, true);
}

export function emitCompareAndSwap(
  guest: GuestFunction,
  instruction: Of<'compare-and-swap'>,
  context: AccessContext,
): boolean {
  const { body } = guest;
  const { pair, size, rs, rt } = instruction;
  if (pair) return false;
  const place = placeOfBase(guest, instruction, context);
  if (place === undefined) return false;
  body.get(place.address);
  body.memory(loadOf(size), place.offset);
  body.tee(local.long);
  pushUnsigned(guest, rs, size);
  body.op(wasmOp.i64Eq);
  body.open(wasmOp.if);
  body.get(place.address);
  pushRegister(guest, rt, true);
  body.memory(storeOf(size), place.offset);
  body.end();
  body.get(local.long);
  popRegister(guest, rs, true);
  return true;
}

/** What a load saw is kept in the state; a store goes through while memory still has it. */
export function emitExclusive(
  guest: GuestFunction,
  instruction: Of<'load-store-exclusive'>,
  context: AccessContext,
): boolean {
  if (instruction.pair) return false;
  if (instruction.load) loadExclusive(guest, instruction, context);
  else storeExclusive(guest, instruction, context.pc);
  return true;
}

function loadExclusive(
  guest: GuestFunction,
  instruction: Of<'load-store-exclusive'>,
  context: AccessContext,
): void {
  const { body } = guest;
  const { size, rt, rn } = instruction;
  const place = placeOfBase(guest, instruction, context);
  if (place === undefined) return;
  body.i32(0);
  body.i32(1 << size);
  body.memory(wasmOp.i32Store, exclusive);
  body.i32(0);
  pushRegister(guest, rn, true);
  body.memory(wasmOp.i64Store, exclusiveAddress);
  body.i32(0);
  body.get(place.address);
  body.memory(loadOf(size), place.offset);
  body.tee(local.long);
  body.memory(wasmOp.i64Store, exclusiveValue);
  body.get(local.long);
  popRegister(guest, rt, true);
}

function storeExclusive(
  guest: GuestFunction,
  { size, rs, rt, rn }: Of<'load-store-exclusive'>,
  pc: number,
): void {
  const { body } = guest;
  body.i64(1n);
  body.set(local.otherLong);
  body.i32(0);
  body.memory(wasmOp.i32Load, exclusive);
  body.i32(1 << size);
  body.op(wasmOp.i32Eq);
  body.i32(0);
  body.memory(wasmOp.i64Load, exclusiveAddress);
  pushRegister(guest, rn, true);
  body.op(wasmOp.i64Eq, wasmOp.i32And);
  body.open(wasmOp.if);
  pushRegister(guest, rn, true);
  body.set(local.long);
  const permissions = spanPermission.write;
  emitCheck(guest, { length: 1 << size, permissions, pc, address: local.word });
  body.get(local.word);
  body.memory(loadOf(size), 0);
  body.i32(0);
  body.memory(wasmOp.i64Load, exclusiveValue);
  body.op(wasmOp.i64Eq);
  body.open(wasmOp.if);
  body.get(local.word);
  pushRegister(guest, rt, true);
  body.memory(storeOf(size), 0);
  body.i64(0n);
  body.set(local.otherLong);
  body.end();
  body.end();
  body.i32(0);
  body.i32(0);
  body.memory(wasmOp.i32Store, exclusive);
  body.get(local.otherLong);
  popRegister(guest, rs, true);
}

/** DC ZVA: the 64 bytes around an address. */
export function emitZeroBlock(guest: GuestFunction, rt: number, pc: number): void {
  const { body } = guest;
  pushRegister(guest, rt, true);
  body.i64(-64n);
  body.op(wasmOp.i64And);
  body.set(local.long);
  const permissions = spanPermission.write;
  emitCheck(guest, { length: 64, permissions, pc, address: local.word });
  for (let offset = 0; offset < 64; offset += 8) {
    body.get(local.word);
    body.i64(0n);
    body.memory(wasmOp.i64Store, offset);
  }
}
