import type { MemoryInstruction } from '../memory-instruction.ts';
import { type AccessContext, placeOfBase } from './emit-memory.ts';
import type { Place } from './emit-address.ts';
import {
  type GuestFunction,
  local,
  popRegister,
  popVector,
  pushRegister,
  pushVector,
} from './guest-function.ts';
import { simdOp, wasmOp } from './wasm.ts';

type Of<Kind extends MemoryInstruction['kind']> = Extract<
  MemoryInstruction,
  { readonly kind: Kind }
>;

const loadLane = [simdOp.load8Lane, simdOp.load16Lane, simdOp.load32Lane, simdOp.load64Lane];
const storeLane = [simdOp.store8Lane, simdOp.store16Lane, simdOp.store32Lane, simdOp.store64Lane];
const loadSplat = [simdOp.load8Splat, simdOp.load16Splat, simdOp.load32Splat, simdOp.load64Splat];

interface Lane {
  readonly load: boolean;
  readonly size: number;
  readonly register: number;
  readonly index: number;
}

function moveLane(guest: GuestFunction, lane: Lane, place: Place): void {
  const { body } = guest;
  const { load, size, register, index } = lane;
  body.get(place.address);
  pushVector(guest, register);
  const op = (load ? loadLane : storeLane)[size] ?? simdOp.load64Lane;
  body.simdMemoryLane(op, place.offset, index);
  if (load) body.set(local.vectors + register);
}

function writeBack(
  guest: GuestFunction,
  { rn, postIndex }: Of<'load-store-structures' | 'load-store-lane'>,
  length: number,
): void {
  if (postIndex === undefined) return;
  pushRegister(guest, rn, true);
  if (postIndex.rm === undefined) guest.body.i64(length);
  else pushRegister(guest, postIndex.rm, true);
  guest.body.op(wasmOp.i64Add);
  popRegister(guest, rn, true);
}

/** LD1–LD4 and ST1–ST4 of whole registers: what does not alternate moves at once. */
export function emitStructures(
  guest: GuestFunction,
  instruction: Of<'load-store-structures'>,
  context: AccessContext,
): void {
  const { body } = guest;
  const { load, q, size, registers, elements, rt } = instruction;
  const place = placeOfBase(guest, instruction, context);
  if (place === undefined) return;
  const bytes = q ? 16 : 8;
  const lanes = bytes >> size;
  for (let at = 0; at < registers; at++) {
    const register = (rt + at) % 32;
    const offset = place.offset + at * bytes;
    if (elements > 1) {
      if (load) {
        body.simdZero();
        body.set(local.vectors + register);
      }
      for (let index = 0; index < lanes; index++) {
        const from = place.offset + ((index * elements + at) << size);
        moveLane(guest, { load, size, register, index }, { ...place, offset: from });
      }
    } else if (load) {
      body.get(place.address);
      body.simdMemory(q ? simdOp.load : simdOp.load64Zero, offset);
      popVector(guest, register, true);
    } else {
      body.get(place.address);
      pushVector(guest, register);
      if (q) body.simdMemory(simdOp.store, offset);
      else body.simdMemoryLane(simdOp.store64Lane, offset, 0);
    }
  }
  writeBack(guest, instruction, bytes * registers);
}

/** One lane of each register, or one value for all its lanes. */
export function emitStructureLane(
  guest: GuestFunction,
  instruction: Of<'load-store-lane'>,
  context: AccessContext,
): void {
  const { body } = guest;
  const { load, q, size, elements, index, rt } = instruction;
  const place = placeOfBase(guest, instruction, context);
  if (place === undefined) return;
  for (let at = 0; at < elements; at++) {
    const register = (rt + at) % 32;
    const offset = place.offset + (at << size);
    if (index === undefined) {
      body.get(place.address);
      body.simdMemory(loadSplat[size] ?? simdOp.load64Splat, offset);
      popVector(guest, register, q);
    } else moveLane(guest, { load, size, register, index }, { ...place, offset });
  }
  writeBack(guest, instruction, elements << size);
}
