import { moduleIndex } from './build-module.ts';
import type { FloatOps } from './float-ops.ts';
import type { FunctionBody } from './function-body.ts';
import { wasmOp } from './wasm.ts';

type Push = () => void;

/**
 * Each puts on the stack whether a result, in its local, is exact: then no flag is raised, and it is
 * taken before a program has rounded anything. Many programs count and add with doubles that are
 * integers, and never round. All of them are asked for ordinary results only.
 */
export interface ExactResults {
  readonly ops: FloatOps;
  readonly body: FunctionBody;
}

/**
 * What is left of a sum without one operand is exact for the larger operand's (Dekker 1971); both are
 * asked, as it is not known which one that is. A difference has its second operand negated.
 */
export function pushSumIsExact({ ops, body }: ExactResults, a: Push, b: Push): void {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    body.get(ops.result);
    one();
    body.op(ops.sub);
    other();
    body.op(ops.eq);
  }
  body.op(wasmOp.i32And);
}

/** Two factors and a product: `product` is what is compared with, and is negated. */
export function pushProductIsExact(
  { ops, body }: ExactResults,
  factors: readonly [Push, Push],
  product: Push,
): void {
  factors[0]();
  factors[1]();
  product();
  body.op(ops.neg);
  body.call(ops.width === 64 ? moduleIndex.fuse64 : moduleIndex.fuse32);
  ops.constant(body, 0);
  body.op(ops.eq);
  // The difference of a small one may vanish.
  product();
  body.op(ops.abs);
  ops.constant(body, ops.width === 64 ? 2 ** -900 : 2 ** -90);
  body.op(ops.gt);
  product();
  ops.constant(body, 0);
  body.op(ops.eq, wasmOp.i32Or, wasmOp.i32And);
}

/** Of an integer: as many bits as numbers of the format have. */
export function pushIsSmallInteger({ ops, body }: ExactResults, scale = 1): void {
  body.get(ops.result);
  body.op(ops.abs);
  ops.constant(body, (ops.width === 64 ? 2 ** 53 : 2 ** 24) * scale);
  body.op(ops.lt);
}
