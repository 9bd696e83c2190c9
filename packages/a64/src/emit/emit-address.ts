import { pagePermission, spanPermission } from '../interpret/linear-memory.ts';
import { moduleIndex } from './build-module.ts';
import type { BlockState } from './emit-integer.ts';
import { exitTo, type GuestFunction, local, pushRegister } from './guest-function.ts';
import { machineLayout } from './machine-layout.ts';
import { valueType, wasmOp } from './wasm.ts';

/** How long a range may be that the byte of one page says enough about. */
export const longestRange = 4096;

/** Where to access memory: a local with an address of 32 bits, and a distance from there. */
export interface Place {
  readonly address: number;
  readonly offset: number;
}

/** Bytes that are about to be accessed, from a register on. */
export interface BaseRange {
  readonly base: number;
  readonly from: number;
  readonly end: number;
  readonly permissions: number;
}

/**
 * Makes sure that a range may be accessed, or leaves the function before anything has changed. What
 * was made sure of before is not asked again.
 */
export function placeFromBase(
  guest: GuestFunction,
  access: BaseRange & { readonly pc: number; readonly wanted: BaseRange },
  state: BlockState,
): Place {
  const { base, from, end, permissions } = access;
  const known = state.checked.find(
    (range) =>
      range.base === base &&
      range.from <= from &&
      range.end >= end &&
      (range.permissions & permissions) === permissions,
  );
  if (known !== undefined) return { address: known.address, offset: from - known.from };
  const { wanted } = access;
  const { body } = guest;
  pushRegister(guest, base, true);
  if (wanted.from !== 0) {
    body.i64(wanted.from);
    body.op(wasmOp.i64Add);
  }
  body.set(local.long);
  const address = body.addLocal(valueType.i32);
  const length = wanted.end - wanted.from;
  emitCheck(guest, { length, permissions: wanted.permissions, pc: access.pc, address });
  state.checked = [...state.checked, { ...wanted, address }];
  return { address, offset: from - wanted.from };
}

/** For the address in `long`: leaves it as 32 bits in a local, or leaves the function. */
export function emitCheck(
  guest: GuestFunction,
  access: {
    readonly length: number;
    readonly permissions: number;
    readonly pc: number;
    readonly address: number;
  },
): void {
  const { body } = guest;
  const permissions = BigInt(access.permissions);
  body.get(local.long);
  body.op(wasmOp.i32WrapI64);
  body.tee(access.address);
  body.i32(12);
  body.op(wasmOp.i32ShrU);
  body.memory(wasmOp.i64Load8U, machineLayout.permissions);
  body.i64(permissions);
  body.op(wasmOp.i64And);
  body.i64(permissions);
  body.op(wasmOp.i64Xor);
  body.get(local.long);
  body.i64(32n);
  body.op(wasmOp.i64ShrU, wasmOp.i64Or, wasmOp.i64Eqz, wasmOp.i32Eqz);
  body.openUnlikely();
  // The last page of a region cannot say that the next one may be used, too.
  body.get(local.long);
  body.i32(access.length);
  body.i32(ownPermissions(access.permissions));
  body.call(moduleIndex.check);
  body.op(wasmOp.i32Eqz);
  body.openUnlikely();
  exitTo(guest, access.pc, true);
  body.end();
  body.end();
}

function ownPermissions(span: number): number {
  return (
    ((span & spanPermission.read) === 0 ? 0 : pagePermission.read) |
    ((span & spanPermission.write) === 0 ? 0 : pagePermission.write)
  );
}
