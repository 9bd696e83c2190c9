import { cpuLayout } from '../interpret/cpu-layout.ts';
import { pagePermission } from '../interpret/linear-memory.ts';
import type { MemoryInstruction, Transfer } from '../memory-instruction.ts';
import { moduleIndex } from './build-module.ts';
import { pushExtended } from './emit-integer.ts';
import { exitTo, type GuestFunction, local, popRegister, pushRegister } from './guest-function.ts';
import { wasmOp, type WasmOp } from './wasm.ts';

/** The loads and stores that are written out; the others are the interpreter's. */
export type InlineMemory = Extract<
  MemoryInstruction,
  {
    readonly kind:
      | 'load-store-immediate'
      | 'load-store-register'
      | 'load-literal'
      | 'load-store-pair'
      | 'load-store-ordered';
  }
>;

const unsignedLoads = [wasmOp.i64Load8U, wasmOp.i64Load16U, wasmOp.i64Load32U, wasmOp.i64Load];
const signedLoads = [wasmOp.i64Load8S, wasmOp.i64Load16S, wasmOp.i64Load32S, wasmOp.i64Load];
const stores = [wasmOp.i64Store8, wasmOp.i64Store16, wasmOp.i64Store32, wasmOp.i64Store];

/** Changes nothing where it would fault: the interpreter is asked to do it then, and says so. */
export function emitMemory(guest: GuestFunction, instruction: InlineMemory, pc: number): void {
  const { body } = guest;
  const access = accessOf(instruction);
  pushAddress(guest, instruction, pc);
  const registers =
    instruction.kind === 'load-store-pair' ? [instruction.rt, instruction.rt2] : [instruction.rt];
  emitCheck(guest, { length: registers.length << access.size, load: access.load, pc });
  // Values are on the stack before a register changes, which may be the base.
  if (access.load && !access.vector) {
    for (const at of registers.keys()) pushLoaded(guest, access, at << access.size);
    for (const register of registers.toReversed()) popRegister(guest, register, true);
  } else {
    for (const [at, register] of registers.entries()) {
      if (access.vector) emitVector(guest, { access, register, offset: at << access.size });
      else emitStore(guest, { access, register, offset: at << access.size });
    }
  }
  if (!('indexing' in instruction) || instruction.indexing === 'offset') return;
  body.get(local.otherLong);
  popRegister(guest, instruction.rn, true);
}

function accessOf(instruction: InlineMemory): Transfer {
  if (instruction.kind !== 'load-store-ordered') return instruction;
  const { op, load, size } = instruction;
  return { op, load, vector: false, size, signed: false, wide: size === 3 };
}

/** The address, in `long`; what the base is changed to, in `otherLong`. */
function pushAddress(guest: GuestFunction, instruction: InlineMemory, pc: number): void {
  const { body } = guest;
  switch (instruction.kind) {
    case 'load-literal':
      body.i64(BigInt(pc + instruction.offset));
      break;
    case 'load-store-ordered':
      pushRegister(guest, instruction.rn, true);
      break;
    case 'load-store-register':
      pushRegister(guest, instruction.rn, true);
      pushExtended(guest, instruction);
      body.op(wasmOp.i64Add);
      break;
    case 'load-store-immediate':
    case 'load-store-pair': {
      const { rn, offset, indexing } = instruction;
      pushRegister(guest, rn, true);
      if (indexing === 'post') body.tee(local.long);
      if (offset !== 0) {
        body.i64(BigInt(offset));
        body.op(wasmOp.i64Add);
      }
      if (indexing === 'pre') body.tee(local.otherLong);
      if (indexing === 'post') {
        body.set(local.otherLong);
        return;
      }
    }
  }
  body.set(local.long);
}

/** Leaves the address as 32 bits in `word`, or the function. */
function emitCheck(
  guest: GuestFunction,
  access: { readonly length: number; readonly load: boolean; readonly pc: number },
): void {
  const { body } = guest;
  const { length } = access;
  body.get(local.long);
  body.i64(BigInt(2 ** 32 - length));
  body.op(wasmOp.i64GtU);
  pushPermissions(guest, () => {
    body.get(local.long);
    body.op(wasmOp.i32WrapI64);
    body.tee(local.word);
  });
  if (length > 1) {
    // The last byte may be on the next page.
    pushPermissions(guest, () => {
      body.get(local.word);
      body.i32(length - 1);
      body.op(wasmOp.i32Add);
    });
    body.op(wasmOp.i32And);
  }
  body.i32(access.load ? pagePermission.read : pagePermission.write);
  body.op(wasmOp.i32And, wasmOp.i32Eqz, wasmOp.i32Or);
  body.open(wasmOp.if);
  exitTo(guest, access.pc, true);
  body.end();
}

function pushPermissions({ body }: GuestFunction, pushAddressWord: () => void): void {
  pushAddressWord();
  body.i32(12);
  body.op(wasmOp.i32ShrU);
  body.global(moduleIndex.permissionsGlobal);
  body.op(wasmOp.i32Add);
  body.memory(wasmOp.i32Load8U, 0);
}

function pushLoaded({ body }: GuestFunction, access: Transfer, offset: number): void {
  const { size, signed, wide } = access;
  const op = (signed ? signedLoads : unsignedLoads)[size] as WasmOp;
  body.get(local.word);
  body.memory(op, offset);
  if (!signed || wide) return;
  body.i64(0xffffffffn);
  body.op(wasmOp.i64And);
}

interface Moved {
  readonly access: Transfer;
  readonly register: number;
  readonly offset: number;
}

function emitStore(guest: GuestFunction, { access, register, offset }: Moved): void {
  guest.body.get(local.word);
  pushRegister(guest, register, true);
  guest.body.memory(stores[access.size] as WasmOp, offset);
}

/** Vector registers are in the state and not in locals. */
function emitVector({ body }: GuestFunction, { access, register, offset }: Moved): void {
  const { load, size } = access;
  const place = cpuLayout.vector + register * 16;
  const low = Math.min(size, 3);
  const move = (half: number, how: { readonly load: WasmOp; readonly store: WasmOp }): void => {
    body.get(load ? local.state : local.word);
    body.get(load ? local.word : local.state);
    body.memory(how.load, (load ? offset : place) + half);
    body.memory(how.store, (load ? place : offset) + half);
  };
  const fromMemory = unsignedLoads[low] as WasmOp;
  const toMemory = stores[low] as WasmOp;
  move(
    0,
    load ? { load: fromMemory, store: wasmOp.i64Store } : { load: wasmOp.i64Load, store: toMemory },
  );
  if (size === 4) move(8, { load: wasmOp.i64Load, store: wasmOp.i64Store });
  else if (load) {
    body.get(local.state);
    body.i64(0n);
    body.memory(wasmOp.i64Store, place + 8);
  }
}
