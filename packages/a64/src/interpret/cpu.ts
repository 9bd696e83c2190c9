import type { FloatEnvironment } from '../float/float-environment.ts';
import { cpuLayout } from './cpu-layout.ts';
import { flagsKind } from './flags-kind.ts';
import { flagsOf } from './flags-of.ts';
import type { LinearMemory } from './linear-memory.ts';
import type { Stop } from './stop.ts';

/** What instructions need to know of the machine around them. */
export interface CpuEnvironment {
  /** CNTVCT_EL0, in steps of CNTFRQ_EL0. */
  readonly counter: () => bigint;
  readonly counterFrequency: bigint;
  /** The registers at op1 = 0, CRn = 0, by `CRm * 8 + op2`. */
  readonly identification: (number: number) => bigint;
}

/** What a load-exclusive has left: a store-exclusive goes through while memory still holds it. */
export interface Reservation {
  readonly address: bigint;
  readonly size: number;
  readonly values: readonly bigint[];
}

const zeroRegister = 32;
/** In what is left of a load-exclusive: it loaded two. */
const exclusivePair = 16;

/** The registers of one guest thread, over bytes that translated code can use as well. */
export class Cpu implements FloatEnvironment {
  readonly memory: LinearMemory;
  readonly environment: CpuEnvironment;
  /** Where to go on after the instruction that is being run. */
  nextPc = 0n;
  stop: Stop | undefined;
  /** All of it, laid out as `cpuLayout` says. */
  readonly state: Uint8Array;
  readonly #general: BigUint64Array;
  readonly #vectors: DataView;
  readonly #view: DataView;

  constructor(
    memory: LinearMemory,
    init: {
      readonly environment: CpuEnvironment;
      readonly buffer: ArrayBufferLike;
      /** A multiple of 16. */
      readonly offset: number;
    },
  ) {
    const { buffer, offset } = init;
    this.memory = memory;
    this.environment = init.environment;
    this.state = new Uint8Array(buffer, offset, cpuLayout.size);
    this.#general = new BigUint64Array(buffer, offset + cpuLayout.general, 34);
    this.#vectors = new DataView(buffer, offset + cpuLayout.vector, 512);
    this.#view = new DataView(buffer, offset, cpuLayout.size);
  }

  /** X0–X30, 31 for SP, 32 for the zero register. */
  x(register: number): bigint {
    return this.#general[register] ?? 0n;
  }

  /** The low 32 or all 64 bits. */
  general(register: number, wide: boolean): bigint {
    const value = this.#general[register] ?? 0n;
    return wide ? value : value & 0xffffffffn;
  }

  /** Takes the low 64 bits, which may be those of a negative number. */
  setX(register: number, value: bigint): void {
    if (register !== zeroRegister) this.#general[register] = value;
  }

  /** A result of 32 bits clears the upper half. */
  setGeneral(register: number, value: bigint, wide: boolean): void {
    this.setX(register, wide ? value : BigInt.asUintN(32, value));
  }

  get pc(): bigint {
    return this.#view.getBigUint64(cpuLayout.pc, true);
  }

  set pc(value: bigint) {
    this.#view.setBigUint64(cpuLayout.pc, value, true);
  }

  /** N, Z, C, V as bits 3 to 0. Translated code leaves what they follow from. */
  get nzcv(): number {
    const kind = this.#view.getUint32(cpuLayout.flagsKind, true);
    if (kind === flagsKind.ready) return this.#view.getUint32(cpuLayout.nzcv, true);
    const a = this.#view.getBigUint64(cpuLayout.flagsA, true);
    const b = this.#view.getBigUint64(cpuLayout.flagsB, true);
    return flagsOf(kind, { a, b });
  }

  set nzcv(value: number) {
    this.#view.setUint32(cpuLayout.nzcv, value, true);
    this.#view.setUint32(cpuLayout.flagsKind, flagsKind.ready, true);
  }

  get fpcr(): number {
    return this.#view.getUint32(cpuLayout.fpcr, true);
  }

  set fpcr(value: number) {
    this.#view.setUint32(cpuLayout.fpcr, value, true);
  }

  get fpsr(): number {
    return this.#view.getUint32(cpuLayout.fpsr, true);
  }

  set fpsr(value: number) {
    this.#view.setUint32(cpuLayout.fpsr, value, true);
  }

  raise(flags: number): void {
    this.fpsr |= flags;
  }

  get reservation(): Reservation | undefined {
    const kind = this.#view.getUint32(cpuLayout.exclusive, true);
    if (kind === 0) return undefined;
    const value = (index: number): bigint =>
      this.#view.getBigUint64(cpuLayout.exclusiveValues + index * 8, true);
    return {
      address: this.#view.getBigUint64(cpuLayout.exclusiveAddress, true),
      size: Math.log2(kind & 15),
      values: (kind & exclusivePair) === 0 ? [value(0)] : [value(0), value(1)],
    };
  }

  set reservation(left: Reservation | undefined) {
    const pair = left?.values.length === 2 ? exclusivePair : 0;
    const kind = left === undefined ? 0 : (1 << left.size) | pair;
    this.#view.setUint32(cpuLayout.exclusive, kind, true);
    if (left === undefined) return;
    this.#view.setBigUint64(cpuLayout.exclusiveAddress, left.address, true);
    for (const [index, value] of left.values.entries()) {
      this.#view.setBigUint64(cpuLayout.exclusiveValues + index * 8, value, true);
    }
  }

  get threadPointer(): bigint {
    return this.#view.getBigUint64(cpuLayout.threadPointer, true);
  }

  set threadPointer(value: bigint) {
    this.#view.setBigUint64(cpuLayout.threadPointer, value, true);
  }

  /** What translated code may still do before it comes back. */
  get fuel(): number {
    return this.#view.getInt32(cpuLayout.fuel, true);
  }

  set fuel(value: number) {
    this.#view.setInt32(cpuLayout.fuel, value, true);
  }

  /** Lane `index` of 2^`size` bytes, unsigned. */
  lane(register: number, size: number, index: number): bigint {
    const at = register * 16 + (index << size);
    switch (size) {
      case 0:
        return BigInt(this.#vectors.getUint8(at));
      case 1:
        return BigInt(this.#vectors.getUint16(at, true));
      case 2:
        return BigInt(this.#vectors.getUint32(at, true));
      default:
        return this.#vectors.getBigUint64(at, true);
    }
  }

  /** Only this lane. */
  setLane(
    register: number,
    lane: { readonly size: number; readonly index: number },
    value: bigint,
  ): void {
    const at = register * 16 + (lane.index << lane.size);
    switch (lane.size) {
      case 0:
        this.#vectors.setUint8(at, Number(value & 0xffn));
        break;
      case 1:
        this.#vectors.setUint16(at, Number(value & 0xffffn), true);
        break;
      case 2:
        this.#vectors.setUint32(at, Number(value & 0xffffffffn), true);
        break;
      default:
        this.#vectors.setBigUint64(at, value, true);
    }
  }

  lanes(register: number, shape: { readonly size: number; readonly lanes: number }): bigint[] {
    return Array.from({ length: shape.lanes }, (_, index) =>
      this.lane(register, shape.size, index),
    );
  }

  /** These lanes from the lowest on, and zeros above. */
  setLanes(register: number, size: number, values: readonly bigint[]): void {
    this.setVector(register, 0n, 0n);
    for (const [index, value] of values.entries()) this.setLane(register, { size, index }, value);
  }

  /** One half of a register; the lower one with zeros above it. */
  setHalf(
    register: number,
    half: { readonly size: number; readonly upper: boolean },
    values: readonly bigint[],
  ): void {
    if (!half.upper) {
      this.setLanes(register, half.size, values);
      return;
    }
    for (const [at, value] of values.entries()) {
      this.setLane(register, { size: half.size, index: (8 >> half.size) + at }, value);
    }
  }

  setVector(register: number, low: bigint, high: bigint): void {
    this.#vectors.setBigUint64(register * 16, low, true);
    this.#vectors.setBigUint64(register * 16 + 8, high, true);
  }
}
