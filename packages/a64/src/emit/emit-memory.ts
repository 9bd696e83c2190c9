import type { Instruction } from '../instruction.ts';
import { spanPermission } from '../interpret/linear-memory.ts';
import type { MemoryInstruction, Transfer } from '../memory-instruction.ts';
import { baseAccess, wantedRange } from './base-access.ts';
import { emitCheck, type Place, placeFromBase } from './emit-address.ts';
import { type BlockState, pushExtended } from './emit-integer.ts';
import type { PlacedInstruction } from './guest-block.ts';
import {
  type GuestFunction,
  local,
  popLow,
  popRegister,
  popVector,
  pushRegister,
  pushVector,
} from './guest-function.ts';
import { simdOp, wasmOp, type WasmOp } from './wasm.ts';

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
const vectorStores = [
  simdOp.store8Lane,
  simdOp.store16Lane,
  simdOp.store32Lane,
  simdOp.store64Lane,
];

/** What comes after an instruction in its block, itself first. */
export type Ahead = readonly PlacedInstruction[];

/** Changes nothing where it would fault: the interpreter is asked to do it then, and says so. */
export function emitMemory(
  guest: GuestFunction,
  instruction: InlineMemory,
  context: AccessContext,
): void {
  const access = accessOf(instruction);
  const place = placeOf(guest, instruction, context);
  const registers =
    instruction.kind === 'load-store-pair' ? [instruction.rt, instruction.rt2] : [instruction.rt];
  const at = (index: number): Place => ({
    ...place,
    offset: place.offset + (index << access.size),
  });
  // Values are on the stack before a register changes, which may be the base.
  if (access.load && !access.vector) {
    for (const index of registers.keys()) pushLoaded(guest, access, at(index));
    for (const register of registers.toReversed()) popRegister(guest, register, true);
  } else {
    for (const [index, register] of registers.entries()) {
      if (access.vector) emitVector(guest, { access, register, place: at(index) });
      else emitStore(guest, { access, register, place: at(index) });
    }
  }
  if (!('indexing' in instruction) || instruction.indexing === 'offset') return;
  const { body } = guest;
  // A load may have changed the base; what it is moved to has been kept then.
  if (access.load && !access.vector && registers.includes(instruction.rn))
    body.get(local.otherLong);
  else {
    pushRegister(guest, instruction.rn, true);
    body.i64(instruction.offset);
    body.op(wasmOp.i64Add);
  }
  popRegister(guest, instruction.rn, true);
}

function accessOf(instruction: InlineMemory): Transfer {
  if (instruction.kind !== 'load-store-ordered') return instruction;
  const { op, load, size } = instruction;
  return { op, load, size, vector: false, signed: false, wide: true };
}

/** What the writing of an access has to know. */
export interface AccessContext {
  readonly pc: number;
  readonly ahead: Ahead;
  readonly state: BlockState;
}

/** Where an instruction accesses memory at a fixed distance from a register, once that is checked. */
export function placeOfBase(
  guest: GuestFunction,
  instruction: Instruction,
  { pc, ahead, state }: AccessContext,
): Place | undefined {
  const based = baseAccess(instruction);
  if (based === undefined) return undefined;
  return placeFromBase(guest, { ...based, pc, wanted: wantedRange(based, ahead) }, state);
}

function placeOf(guest: GuestFunction, instruction: InlineMemory, context: AccessContext): Place {
  const { body } = guest;
  const { pc } = context;
  if ('indexing' in instruction && instruction.indexing !== 'offset') {
    pushRegister(guest, instruction.rn, true);
    body.i64(instruction.offset);
    body.op(wasmOp.i64Add);
    body.set(local.otherLong);
  }
  const based = placeOfBase(guest, instruction, context);
  if (based !== undefined) return based;
  const { load, size } = instruction;
  if (instruction.kind === 'load-store-register') {
    pushRegister(guest, instruction.rn, true);
    pushExtended(guest, instruction);
    body.op(wasmOp.i64Add);
  } else if (instruction.kind === 'load-literal') body.i64(pc + instruction.offset);
  body.set(local.long);
  const permissions = load ? spanPermission.read : spanPermission.write;
  emitCheck(guest, { length: 1 << size, permissions, pc, address: local.word });
  return { address: local.word, offset: 0 };
}

function pushLoaded({ body }: GuestFunction, access: Transfer, place: Place): void {
  const { size, signed, wide } = access;
  const op = (signed ? signedLoads : unsignedLoads)[size] as WasmOp;
  body.get(place.address);
  body.memory(op, place.offset);
  if (!signed || wide) return;
  body.i64(0xffffffffn);
  body.op(wasmOp.i64And);
}

interface Moved {
  readonly access: Transfer;
  readonly register: number;
  readonly place: Place;
}

function emitStore(guest: GuestFunction, { access, register, place }: Moved): void {
  guest.body.get(place.address);
  pushRegister(guest, register, true);
  guest.body.memory(stores[access.size] as WasmOp, place.offset);
}

function emitVector(guest: GuestFunction, { access, register, place }: Moved): void {
  const { body } = guest;
  const { load, size } = access;
  body.get(place.address);
  if (!load) {
    pushVector(guest, register);
    if (size === 4) body.simdMemory(simdOp.store, place.offset);
    else body.simdMemoryLane(vectorStores[size] ?? simdOp.store64Lane, place.offset, 0);
    return;
  }
  if (size < 2) {
    body.memory(unsignedLoads[size] as WasmOp, place.offset);
    popLow(guest, register);
    return;
  }
  const op = size === 4 ? simdOp.load : size === 3 ? simdOp.load64Zero : simdOp.load32Zero;
  body.simdMemory(op, place.offset);
  popVector(guest, register, true);
}
