import { FunctionBody } from '../function-body.ts';
import { simdOp, valueType, wasmOp, type WasmOp } from '../wasm.ts';

type Push = () => void;

/** Words in locals, and what is computed of them. */
class Rounds {
  readonly body: FunctionBody = new FunctionBody([], 3);

  get(local: number): Push {
    return () => this.body.get(local);
  }

  of(op: WasmOp, ...operands: readonly Push[]): Push {
    return () => {
      for (const [at, operand] of operands.entries()) {
        operand();
        if (at > 0) this.body.op(op);
      }
    };
  }

  rotated(local: number, right: number): Push {
    return this.of(wasmOp.i32Rotr, this.get(local), () => this.body.i32(right));
  }

  /** To a local of its own. */
  keep(value: Push): number {
    value();
    const to = this.body.addLocal(valueType.i32);
    this.body.set(to);
    return to;
  }

  lanes(parameter: number): number[] {
    return [0, 1, 2, 3].map((lane) =>
      this.keep(() => {
        this.body.get(parameter);
        this.body.simdLane(simdOp.i32x4Extract, lane);
      }),
    );
  }

  /** ((y ^ z) & x) ^ z */
  choose(x: number, y: number, z: number): Push {
    const { xor, and } = this;
    return xor(and(xor(this.get(y), this.get(z)), this.get(x)), this.get(z));
  }

  /** (x & y) | ((x | y) & z) */
  majority(x: number, y: number, z: number): Push {
    const { or, and } = this;
    const [a, b] = [this.get(x), this.get(y)];
    return or(and(a, b), and(or(a, b), this.get(z)));
  }

  readonly xor = (...operands: readonly Push[]): Push => this.of(wasmOp.i32Xor, ...operands);
  readonly and = (...operands: readonly Push[]): Push => this.of(wasmOp.i32And, ...operands);
  readonly or = (...operands: readonly Push[]): Push => this.of(wasmOp.i32Or, ...operands);
  readonly add = (...operands: readonly Push[]): Push => this.of(wasmOp.i32Add, ...operands);

  encode(words: readonly number[]): Uint8Array<ArrayBuffer> {
    const { body } = this;
    body.simdZero();
    for (const [lane, word] of words.entries()) {
      body.get(word);
      body.simdLane(simdOp.i32x4Replace, lane);
    }
    return body.encode();
  }
}

/**
 * (abcd, e in the lowest lane, schedule) → four rounds of SHA-1 (FIPS 180-4 §6.1.2). The schedule has
 * the constants in it already.
 */
export function sha1Function(op: 'sha1c' | 'sha1p' | 'sha1m'): Uint8Array<ArrayBuffer> {
  const rounds = new Rounds();
  let [a = 0, b = 0, c = 0, d = 0] = rounds.lanes(0);
  let [e = 0] = rounds.lanes(1);
  for (const word of rounds.lanes(2)) {
    const { xor, add, get } = {
      xor: rounds.xor,
      add: rounds.add,
      get: (local: number) => rounds.get(local),
    };
    const mixed =
      op === 'sha1c'
        ? rounds.choose(b, c, d)
        : op === 'sha1p'
          ? xor(get(b), get(c), get(d))
          : rounds.majority(b, c, d);
    const next = rounds.keep(add(get(e), rounds.rotated(a, 27), mixed, get(word)));
    [e, d, c, b, a] = [d, c, rounds.keep(rounds.rotated(b, 2)), a, next];
  }
  return rounds.encode([a, b, c, d]);
}

/** (abcd, efgh, schedule) → four rounds of SHA-256 (FIPS 180-4 §6.2.2): abcd, or efgh. */
export function sha256Function(result: 'abcd' | 'efgh'): Uint8Array<ArrayBuffer> {
  const rounds = new Rounds();
  const { xor, add } = rounds;
  let [a = 0, b = 0, c = 0, d = 0] = rounds.lanes(0);
  let [e = 0, f = 0, g = 0, h = 0] = rounds.lanes(1);
  for (const word of rounds.lanes(2)) {
    const sigma1 = xor(rounds.rotated(e, 6), rounds.rotated(e, 11), rounds.rotated(e, 25));
    const sigma0 = xor(rounds.rotated(a, 2), rounds.rotated(a, 13), rounds.rotated(a, 22));
    const first = rounds.keep(add(rounds.get(h), sigma1, rounds.choose(e, f, g), rounds.get(word)));
    const next = rounds.keep(add(rounds.get(first), sigma0, rounds.majority(a, b, c)));
    const moved = rounds.keep(add(rounds.get(d), rounds.get(first)));
    [h, g, f, e, d, c, b, a] = [g, f, e, moved, c, b, a, next];
  }
  return rounds.encode(result === 'abcd' ? [a, b, c, d] : [e, f, g, h]);
}

/** (d, n, m) → SHA256SU1: σ1 of the words that come two before, of which the last two are made here. */
export function sha256ScheduleFunction(): Uint8Array<ArrayBuffer> {
  const rounds = new Rounds();
  const d = rounds.lanes(0);
  const n = rounds.lanes(1);
  const m = rounds.lanes(2);
  const results: number[] = [];
  for (let at = 0; at < 4; at++) {
    const before = (at < 2 ? m[at + 2] : results[at - 2]) ?? 0;
    const shifted: Push = () => {
      rounds.body.get(before);
      rounds.body.i32(10);
      rounds.body.op(wasmOp.i32ShrU);
    };
    const sigma = rounds.xor(rounds.rotated(before, 17), rounds.rotated(before, 19), shifted);
    const seven = (at < 3 ? n[at + 1] : m[0]) ?? 0;
    results.push(rounds.keep(rounds.add(rounds.get(d[at] ?? 0), sigma, rounds.get(seven))));
  }
  return rounds.encode(results);
}
