import { FunctionBody } from './function-body.ts';
import { simdOp, valueType, wasmOp } from './wasm.ts';

type Push = () => void;

/** What a fused product and sum are computed with: one double, or two at once. */
interface Doubles {
  readonly type: number;
  readonly op: (name: 'add' | 'sub' | 'mul' | 'abs' | 'lt' | 'eq') => void;
  readonly or: () => void;
  readonly and: () => void;
  /** The first where the third, a comparison, holds, else the second. */
  readonly select: () => void;
  readonly constant: (value: number) => void;
  /** A sum and its error: moves the sum by a bit towards the error, where it is even. */
  readonly roundToOdd: (sum: number, error: number) => void;
}

const scalarOps = {
  add: wasmOp.f64Add,
  sub: wasmOp.f64Sub,
  mul: wasmOp.f64Mul,
  abs: wasmOp.f64Abs,
  lt: wasmOp.f64Lt,
  eq: wasmOp.f64Eq,
} as const;
const vectorOps = {
  add: simdOp.f64x2Add,
  sub: simdOp.f64x2Sub,
  mul: simdOp.f64x2Mul,
  abs: simdOp.f64x2Abs,
  lt: simdOp.f64x2Lt,
  eq: simdOp.f64x2Eq,
} as const;

function scalar(body: FunctionBody): Doubles {
  const bits = (from: number): void => {
    body.get(from);
    body.op(wasmOp.i64ReinterpretF64);
  };
  return {
    type: valueType.f64,
    op: (name) => body.op(scalarOps[name]),
    or: () => body.op(wasmOp.i32Or),
    and: () => body.op(wasmOp.i32And),
    select: () => body.op(wasmOp.select),
    constant: (value) => body.f64(value),
    roundToOdd: (sum, error) => {
      bits(sum);
      bits(sum);
      bits(error);
      body.op(wasmOp.i64Xor);
      body.i64(63n);
      body.op(wasmOp.i64ShrS);
      body.i64(1n);
      body.op(wasmOp.i64Or);
      body.i64(0n);
      body.get(error);
      body.f64(0);
      body.op(wasmOp.f64Ne);
      bits(sum);
      body.i64(1n);
      body.op(wasmOp.i64And, wasmOp.i64Eqz, wasmOp.i32And, wasmOp.select);
      body.op(wasmOp.i64Add, wasmOp.f64ReinterpretI64);
    },
  };
}

function vector(body: FunctionBody): Doubles {
  return {
    type: valueType.v128,
    op: (name) => body.simd(vectorOps[name]),
    or: () => body.simd(simdOp.or),
    and: () => body.simd(simdOp.and),
    select: () => body.simd(simdOp.bitSelect),
    constant: (value) => {
      const bits = new BigUint64Array(Float64Array.of(value).buffer)[0] ?? 0n;
      body.simdConstant(bits, bits);
    },
    roundToOdd: (sum, error) => {
      body.get(sum);
      body.get(sum);
      body.get(error);
      body.simd(simdOp.xor);
      body.i32(63);
      body.simd(simdOp.i64x2ShrS);
      body.simdConstant(1n, 1n);
      body.simd(simdOp.or);
      body.get(error);
      body.simdZero();
      body.simd(simdOp.f64x2Ne);
      body.simd(simdOp.and);
      body.get(sum);
      body.simdConstant(1n, 1n);
      body.simd(simdOp.and);
      body.simdZero();
      body.simd(simdOp.i64x2Eq);
      body.simd(simdOp.and);
      body.simd(simdOp.i64x2Add);
    },
  };
}

/** Sums and products with their errors, in locals of their own. */
class Exact {
  readonly #body: FunctionBody;
  readonly ops: Doubles;

  constructor(body: FunctionBody, ops: Doubles) {
    this.#body = body;
    this.ops = ops;
  }

  get(from: number): Push {
    return () => this.#body.get(from);
  }

  two(name: 'add' | 'sub' | 'mul' | 'lt' | 'eq', a: Push, b: Push): Push {
    return () => {
      a();
      b();
      this.ops.op(name);
    };
  }

  keep(value: Push): number {
    value();
    const to = this.#body.addLocal(this.ops.type);
    this.#body.set(to);
    return to;
  }

  /** Knuth's: the sum, and what it is wrong by. */
  sum(a: number, b: number): { readonly sum: number; readonly error: number } {
    const [x, y] = [this.get(a), this.get(b)];
    const sum = this.keep(this.two('add', x, y));
    const second = this.keep(this.two('sub', this.get(sum), x));
    const first = this.two('sub', this.get(sum), this.get(second));
    const error = this.two('add', this.two('sub', x, first), this.two('sub', y, this.get(second)));
    return { sum, error: this.keep(error) };
  }

  /** Veltkamp's: two numbers of 26 bits that add up to one. */
  #split(a: number): { readonly high: Push; readonly low: Push } {
    const much = this.keep(this.two('mul', this.get(a), () => this.ops.constant(2 ** 27 + 1)));
    const rest = this.two('sub', this.get(much), this.get(a));
    const high = this.keep(this.two('sub', this.get(much), rest));
    const low = this.keep(this.two('sub', this.get(a), this.get(high)));
    return { high: this.get(high), low: this.get(low) };
  }

  /** Dekker's: what the product is wrong by. */
  productError(a: number, b: number, product: number): number {
    const [x, y] = [this.#split(a), this.#split(b)];
    const mul = (p: Push, q: Push): Push => this.two('mul', p, q);
    const first = this.two('sub', mul(x.high, y.high), this.get(product));
    const second = this.two('add', first, mul(x.high, y.low));
    const third = this.two('add', second, mul(x.low, y.high));
    return this.keep(this.two('add', third, mul(x.low, y.low)));
  }

  /** The sum of two as it is before it is rounded, but for a last bit that says that there is more. */
  oddSum(a: number, b: number): number {
    const { sum, error } = this.sum(a, b);
    return this.keep(() => this.ops.roundToOdd(sum, error));
  }

  below(value: number, limit: number): Push {
    return () => {
      this.#body.get(value);
      this.ops.op('abs');
      this.ops.constant(limit);
      this.ops.op('lt');
    };
  }
}

const largest = 2 ** 990;
const smallest = 2 ** -900;

/**
 * (a, b, c) → a × b + c, rounded once, or a NaN where that cannot be said: Boldo and Melquiond,
 * "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd" (2008).
 */
function fuseDoubles(body: FunctionBody, ops: Doubles): void {
  const [a, b, c] = [0, 1, 2];
  const exact = new Exact(body, ops);
  const product = exact.keep(exact.two('mul', exact.get(a), exact.get(b)));
  const error = exact.productError(a, b, product);
  const t = exact.sum(c, error);
  const v = exact.sum(product, t.sum);
  const rest = exact.oddSum(t.error, v.error);
  // Where a factor is zero the product is exact, and c is what is rounded.
  exact.two('add', exact.get(product), exact.get(c))();
  exact.two('add', exact.get(v.sum), exact.get(rest))();
  ops.constant(Number.NaN);
  exact.below(product, largest)();
  for (const value of [a, b, c]) {
    exact.below(value, largest)();
    ops.and();
  }
  ops.constant(smallest);
  body.get(product);
  ops.op('abs');
  ops.op('lt');
  ops.and();
  ops.select();
  const zero = (): void => ops.constant(0);
  exact.two('eq', exact.get(a), zero)();
  exact.two('eq', exact.get(b), zero)();
  ops.or();
  ops.select();
}

/** The same of singles as doubles, which hold their products: the result is to be rounded to single. */
function fuseSingles(exact: Exact, operands: readonly Push[]): number {
  const [a = () => {}, b = () => {}, c = () => {}] = operands;
  const product = exact.keep(exact.two('mul', a, b));
  return exact.oddSum(product, exact.keep(c));
}

export function fuse64(): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 3);
  fuseDoubles(body, scalar(body));
  return body.encode();
}

export function fuse64x2(): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 3);
  fuseDoubles(body, vector(body));
  return body.encode();
}

const leastSingle = 2 ** -126;

export function fuse32(): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 3);
  const result = body.addLocal(valueType.f32);
  const exact = new Exact(body, scalar(body));
  const promoted = [0, 1, 2].map((operand) => () => {
    body.get(operand);
    body.op(wasmOp.f64PromoteF32);
  });
  const sum = fuseSingles(exact, promoted);
  body.get(sum);
  body.op(wasmOp.f32DemoteF64);
  body.set(result);
  body.get(result);
  body.f32(Number.NaN);
  body.get(result);
  body.op(wasmOp.f32Abs);
  body.f32(leastSingle);
  body.op(wasmOp.f32Gt);
  body.get(sum);
  body.f64(0);
  body.op(wasmOp.f64Eq, wasmOp.i32Or, wasmOp.select);
  return body.encode();
}

export function fuse32x4(): Uint8Array<ArrayBuffer> {
  const body = new FunctionBody([], 3);
  const exact = new Exact(body, vector(body));
  const halves = [0, 8].map((first) => {
    const promoted = [0, 1, 2].map((operand) => () => {
      body.get(operand);
      if (first > 0) {
        body.get(operand);
        body.shuffle(Array.from({ length: 16 }, (_, at) => first + (at % 8)));
      }
      body.simd(simdOp.f64x2PromoteLowF32x4);
    });
    const sum = fuseSingles(exact, promoted);
    const result = exact.keep(() => {
      body.get(sum);
      body.simd(simdOp.f32x4DemoteF64x2);
    });
    // As doubles: whether the sum is zero, or what it was rounded to is no denormal.
    const taken = exact.keep(() => {
      body.get(result);
      body.simd(simdOp.f64x2PromoteLowF32x4);
      body.simd(simdOp.f64x2Abs);
      exact.ops.constant(leastSingle);
      body.simd(simdOp.f64x2Gt);
      body.get(sum);
      body.simdZero();
      body.simd(simdOp.f64x2Eq);
      body.simd(simdOp.or);
    });
    return { result, taken };
  });
  const [low, high] = halves;
  body.get(low?.result ?? 0);
  body.get(high?.result ?? 0);
  const joined = Array.from({ length: 16 }, (_, at) => (at < 8 ? at : at + 8));
  body.shuffle(joined);
  const nan = 0x7fc000007fc00000n;
  body.simdConstant(nan, nan);
  // The lower half of each mask of 64 bits is one of 32.
  body.get(low?.taken ?? 0);
  body.get(high?.taken ?? 0);
  body.shuffle([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]);
  body.simd(simdOp.bitSelect);
  return body.encode();
}
