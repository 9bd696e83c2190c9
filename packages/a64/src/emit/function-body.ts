import { signedLeb128, unsignedLeb128 } from './leb128.ts';
import { emptyBlock, simdOp, simdPrefix, wasmOp, type WasmOp } from './wasm.ts';

/** The code of one WebAssembly function as it is written: operands first, as on its stack. */
export class FunctionBody {
  readonly #bytes: number[] = [];
  readonly #locals: number[];
  readonly #parameters: number;
  #depth = 0;

  /** `locals` are the value types of the first ones after the parameters. */
  constructor(locals: readonly number[], parameters = 0) {
    this.#locals = [...locals];
    this.#parameters = parameters;
  }

  get size(): number {
    return this.#bytes.length;
  }

  /** Blocks that are open: the label of the outermost is `depth - 1`. */
  get depth(): number {
    return this.#depth;
  }

  /** Its number. */
  addLocal(type: number): number {
    this.#locals.push(type);
    return this.#parameters + this.#locals.length - 1;
  }

  op(...ops: readonly WasmOp[]): void {
    this.#bytes.push(...ops);
  }

  i32(value: number): void {
    this.#bytes.push(wasmOp.i32Const);
    this.#signed(value | 0);
  }

  i64(value: bigint): void {
    const signed = BigInt.asIntN(64, value);
    const small = Number(signed);
    this.#bytes.push(wasmOp.i64Const);
    // Most are small, and numbers are quicker than big integers.
    if (small === (small | 0)) this.#signed(small);
    else this.#bytes.push(...signedLeb128(signed));
  }

  #unsigned(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.#bytes.push(rest);
  }

  /** Of 32 bits. */
  #signed(value: number): void {
    let rest = value;
    while (rest < -0x40 || rest > 0x3f) {
      this.#bytes.push((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.#bytes.push(rest & 0x7f);
  }

  f32(value: number): void {
    this.#float(wasmOp.f32Const, new Uint8Array(Float32Array.of(value).buffer));
  }

  f64(value: number): void {
    this.#float(wasmOp.f64Const, new Uint8Array(Float64Array.of(value).buffer));
  }

  /** Little-endian, as typed arrays are on every machine that runs this. */
  #float(op: WasmOp, bytes: Uint8Array): void {
    this.#bytes.push(op, ...bytes);
  }

  simd(op: number): void {
    this.#bytes.push(simdPrefix);
    this.#unsigned(op);
  }

  simdMemory(op: number, offset: number): void {
    this.simd(op);
    this.#bytes.push(0, ...unsignedLeb128(offset));
  }

  /** Loads and stores of one lane. */
  simdMemoryLane(op: number, offset: number, lane: number): void {
    this.simdMemory(op, offset);
    this.#bytes.push(lane);
  }

  /** Takes a lane out, or replaces one. */
  simdLane(op: number, lane: number): void {
    this.simd(op);
    this.#bytes.push(lane);
  }

  simdConstant(low: bigint, high: bigint): void {
    this.simd(simdOp.constant);
    this.#bytes.push(...new Uint8Array(BigUint64Array.of(low, high).buffer));
  }

  simdZero(): void {
    this.simd(simdOp.constant);
    this.#bytes.push(...new Uint8Array(16));
  }

  /** 16 bytes of two vectors, by their numbers from 0 to 31. */
  shuffle(from: readonly number[]): void {
    this.simd(simdOp.shuffle);
    this.#bytes.push(...from);
  }

  get(local: number): void {
    this.#bytes.push(wasmOp.localGet);
    this.#unsigned(local);
  }

  set(local: number): void {
    this.#bytes.push(wasmOp.localSet);
    this.#unsigned(local);
  }

  tee(local: number): void {
    this.#bytes.push(wasmOp.localTee);
    this.#unsigned(local);
  }

  global(index: number): void {
    this.#bytes.push(wasmOp.globalGet, ...unsignedLeb128(index));
  }

  /** Alignment is a hint only; guests need not align, so none is given. */
  memory(op: WasmOp, offset: number): void {
    this.#bytes.push(op, 0);
    this.#unsigned(offset);
  }

  call(functionIndex: number): void {
    this.#bytes.push(wasmOp.call, ...unsignedLeb128(functionIndex));
  }

  returnCall(functionIndex: number): void {
    this.#bytes.push(wasmOp.returnCall, ...unsignedLeb128(functionIndex));
  }

  callIndirect(typeIndex: number): void {
    this.#bytes.push(wasmOp.callIndirect, ...unsignedLeb128(typeIndex), 0);
  }

  returnCallIndirect(typeIndex: number): void {
    this.#bytes.push(wasmOp.returnCallIndirect, ...unsignedLeb128(typeIndex), 0);
  }

  open(op: typeof wasmOp.block | typeof wasmOp.loop | typeof wasmOp.if): void {
    this.#bytes.push(op, emptyBlock);
    this.#depth++;
  }

  end(): void {
    this.#bytes.push(wasmOp.end);
    this.#depth--;
  }

  /** To the label of the block that was open at this depth: 1 is the outermost. */
  branch(op: typeof wasmOp.br | typeof wasmOp.brIf, toDepth: number): void {
    this.#bytes.push(op);
    this.#unsigned(this.#depth - toDepth);
  }

  /** To one of these depths by a number on the stack, or to another. */
  branchTable(toDepths: readonly number[], otherDepth: number): void {
    this.#bytes.push(wasmOp.brTable, ...unsignedLeb128(toDepths.length));
    for (const depth of [...toDepths, otherDepth]) {
      this.#bytes.push(...unsignedLeb128(this.#depth - depth));
    }
  }

  /** With its size, as the code section has it. */
  encode(): Uint8Array<ArrayBuffer> {
    const groups: number[] = [];
    let count = 0;
    for (let at = 0; at < this.#locals.length; count++) {
      const type = this.#locals[at] ?? 0;
      let length = 0;
      while (this.#locals[at + length] === type) length++;
      groups.push(...unsignedLeb128(length), type);
      at += length;
    }
    const header = [...unsignedLeb128(count), ...groups];
    const size = header.length + this.#bytes.length + 1;
    return Uint8Array.from([...unsignedLeb128(size), ...header, ...this.#bytes, wasmOp.end]);
  }
}
