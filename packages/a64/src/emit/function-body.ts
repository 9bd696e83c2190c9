import { signedLeb128, unsignedLeb128 } from './leb128.ts';
import { emptyBlock, simdOp, simdPrefix, wasmOp, type WasmOp } from './wasm.ts';

const firstRoom = 1024;

/** The code of one WebAssembly function as it is written: operands first, as on its stack. */
export class FunctionBody {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(firstRoom);
  #size = 0;
  readonly #locals: number[];
  readonly #parameters: number;
  #depth = 0;
  /** Where the branches are that are seldom taken. */
  readonly #unlikely: number[] = [];

  /** `locals` are the value types of the first ones after the parameters. */
  constructor(locals: readonly number[], parameters = 0) {
    this.#locals = [...locals];
    this.#parameters = parameters;
  }

  get size(): number {
    return this.#size;
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
    for (const op of ops) this.#byte(op);
  }

  i32(value: number): void {
    this.#byte(wasmOp.i32Const);
    this.#signed(value | 0);
  }

  /** Numbers are whole and exact; they are quicker than big integers. */
  i64(value: bigint | number): void {
    this.#byte(wasmOp.i64Const);
    const small = typeof value === 'number' ? value : Number(BigInt.asIntN(64, value));
    if (small === (small | 0)) this.#signed(small);
    else if (typeof value === 'number') this.#signedLarge(value);
    else this.#all(signedLeb128(BigInt.asIntN(64, value)));
  }

  /** The lowest one and `more`, which is positive and of up to 53 bits: bit 63 is set in it. */
  i64Lowest(more: number): void {
    this.#byte(wasmOp.i64Const);
    let rest = more;
    for (let at = 0; at < 63; at += 7) {
      const next = Math.floor(rest / 0x80);
      this.#byte((rest - next * 0x80) | 0x80);
      rest = next;
    }
    this.#byte(0x7f);
  }

  #byte(value: number): void {
    if (this.#size === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#size++] = value;
  }

  #all(values: ArrayLike<number>): void {
    if (this.#size + values.length > this.#bytes.length) this.#grow(values.length);
    this.#bytes.set(values, this.#size);
    this.#size += values.length;
  }

  #grow(by: number): void {
    const grown = new Uint8Array((this.#size + by) * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  #unsigned(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.#byte(rest);
  }

  /** Of up to 53 bits. */
  #signedLarge(value: number): void {
    let rest = value;
    while (rest < -0x40 || rest > 0x3f) {
      const next = Math.floor(rest / 0x80);
      this.#byte((rest - next * 0x80) | 0x80);
      rest = next;
    }
    this.#byte(rest & 0x7f);
  }

  /** Of 32 bits. */
  #signed(value: number): void {
    let rest = value;
    while (rest < -0x40 || rest > 0x3f) {
      this.#byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.#byte(rest & 0x7f);
  }

  f32(value: number): void {
    this.#float(wasmOp.f32Const, new Uint8Array(Float32Array.of(value).buffer));
  }

  f64(value: number): void {
    this.#float(wasmOp.f64Const, new Uint8Array(Float64Array.of(value).buffer));
  }

  /** Little-endian, as typed arrays are on every machine that runs this. */
  #float(op: WasmOp, bytes: Uint8Array): void {
    this.#byte(op);
    this.#all(bytes);
  }

  simd(op: number): void {
    this.#byte(simdPrefix);
    this.#unsigned(op);
  }

  simdMemory(op: number, offset: number): void {
    this.simd(op);
    this.#byte(0);
    this.#unsigned(offset);
  }

  /** Loads and stores of one lane. */
  simdMemoryLane(op: number, offset: number, lane: number): void {
    this.simdMemory(op, offset);
    this.#byte(lane);
  }

  /** Takes a lane out, or replaces one. */
  simdLane(op: number, lane: number): void {
    this.simd(op);
    this.#byte(lane);
  }

  simdConstant(low: bigint, high: bigint): void {
    this.simd(simdOp.constant);
    this.#all(new Uint8Array(BigUint64Array.of(low, high).buffer));
  }

  simdZero(): void {
    this.simd(simdOp.constant);
    this.#all(new Uint8Array(16));
  }

  /** 16 bytes of two vectors, by their numbers from 0 to 31. */
  shuffle(from: readonly number[]): void {
    this.simd(simdOp.shuffle);
    this.#all(from);
  }

  get(local: number): void {
    this.#byte(wasmOp.localGet);
    this.#unsigned(local);
  }

  set(local: number): void {
    this.#byte(wasmOp.localSet);
    this.#unsigned(local);
  }

  tee(local: number): void {
    this.#byte(wasmOp.localTee);
    this.#unsigned(local);
  }

  global(index: number): void {
    this.#byte(wasmOp.globalGet);
    this.#unsigned(index);
  }

  /** Alignment is a hint only; guests need not align, so none is given. */
  memory(op: WasmOp, offset: number): void {
    this.#byte(op);
    this.#byte(0);
    this.#unsigned(offset);
  }

  call(functionIndex: number): void {
    this.#byte(wasmOp.call);
    this.#unsigned(functionIndex);
  }

  returnCall(functionIndex: number): void {
    this.#byte(wasmOp.returnCall);
    this.#unsigned(functionIndex);
  }

  callIndirect(typeIndex: number): void {
    this.#byte(wasmOp.callIndirect);
    this.#unsigned(typeIndex);
    this.#byte(0);
  }

  returnCallIndirect(typeIndex: number): void {
    this.#byte(wasmOp.returnCallIndirect);
    this.#unsigned(typeIndex);
    this.#byte(0);
  }

  open(op: typeof wasmOp.block | typeof wasmOp.loop | typeof wasmOp.if): void {
    this.#byte(op);
    this.#byte(emptyBlock);
    this.#depth++;
  }

  /** An `if` that compilers keep out of the way: what it needs is no cost to who does not go there. */
  openUnlikely(): void {
    this.#unlikely.push(this.#size);
    this.open(wasmOp.if);
  }

  branchUnlikely(toDepth: number): void {
    this.#unlikely.push(this.#size);
    this.branch(wasmOp.brIf, toDepth);
  }

  end(): void {
    this.#byte(wasmOp.end);
    this.#depth--;
  }

  /** To the label of the block that was open at this depth: 1 is the outermost. */
  branch(op: typeof wasmOp.br | typeof wasmOp.brIf, toDepth: number): void {
    this.#byte(op);
    this.#unsigned(this.#depth - toDepth);
  }

  /** To one of these depths by a number on the stack, or to another. */
  branchTable(toDepths: readonly number[], otherDepth: number): void {
    this.#byte(wasmOp.brTable);
    this.#unsigned(toDepths.length);
    for (const depth of [...toDepths, otherDepth]) {
      this.#unsigned(this.#depth - depth);
    }
  }

  /** With its size, as the code section has it. */
  encode(): Uint8Array<ArrayBuffer> {
    const header = this.#header();
    const size = header.length + this.#size + 1;
    const start = Uint8Array.from([...unsignedLeb128(size), ...header]);
    const whole = new Uint8Array(start.length + this.#size + 1);
    whole.set(start);
    whole.set(this.#bytes.subarray(0, this.#size), start.length);
    whole[whole.length - 1] = wasmOp.end;
    return whole;
  }

  /** Where branches are that are seldom taken, from the locals on. */
  unlikely(): readonly number[] {
    const from = this.#header().length;
    return this.#unlikely.map((at) => from + at);
  }

  #header(): readonly number[] {
    const groups: number[] = [];
    let count = 0;
    for (let at = 0; at < this.#locals.length; count++) {
      const type = this.#locals[at] ?? 0;
      let length = 0;
      while (this.#locals[at + length] === type) length++;
      groups.push(...unsignedLeb128(length), type);
      at += length;
    }
    return [...unsignedLeb128(count), ...groups];
  }
}
