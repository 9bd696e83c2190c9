import { flagsKind } from '../interpret/flags-kind.ts';
import { local, pushFlagsCall } from './guest-function.ts';
import type { FunctionBody } from './function-body.ts';
import { wasmOp, type WasmOp } from './wasm.ts';

/** What is known of the flags at a point of a block; undefined where a register has to be asked. */
export type KnownFlags =
  | { readonly kind: 'subtract' | 'add' | 'logical'; readonly wide: boolean }
  /** Of two doubles that are no NaNs, as their bits. */
  | { readonly kind: 'float' }
  | { readonly kind: 'ready' }
  | undefined;

/** The number of {@link flagsKind} for what is known. */
export function flagsKindOf(known: Exclude<KnownFlags, undefined>): number {
  if (known.kind === 'ready' || known.kind === 'float') return flagsKind[known.kind];
  return flagsKind[known.kind] + (known.wide ? 0 : 1);
}

/** Comparisons of the operands of a subtraction that are a condition at once, by condition / 2. */
const comparisons: Readonly<Record<number, readonly [narrow: WasmOp, wide: WasmOp]>> = {
  0: [wasmOp.i32Eq, wasmOp.i64Eq],
  1: [wasmOp.i32GeU, wasmOp.i64GeU],
  4: [wasmOp.i32GtU, wasmOp.i64GtU],
  5: [wasmOp.i32GeS, wasmOp.i64GeS],
  6: [wasmOp.i32GtS, wasmOp.i64GtS],
};
/** The same of a logical result with zero: EQ, MI, GE, GT. */
const signs: Readonly<Record<number, readonly [narrow: WasmOp, wide: WasmOp]>> = {
  0: [wasmOp.i32Eq, wasmOp.i64Eq],
  2: [wasmOp.i32LtS, wasmOp.i64LtS],
  5: [wasmOp.i32GeS, wasmOp.i64GeS],
  6: [wasmOp.i32GtS, wasmOp.i64GtS],
};

/**
 * Puts 1 on the stack where a condition holds, else 0. What is known afterwards is returned: reading
 * them may make the flags ready.
 */
export function pushCondition(
  body: FunctionBody,
  condition: number,
  known: KnownFlags,
): KnownFlags {
  if (condition >= 14) {
    body.i32(1);
    return known;
  }
  const base = condition >> 1;
  const after = pushBase(body, base, known);
  if ((condition & 1) === 1) body.op(wasmOp.i32Eqz);
  return after;
}

/** Of two numbers: EQ, CS, MI, HI, GE, GT. */
const orders: Readonly<Record<number, WasmOp>> = {
  0: wasmOp.f64Eq,
  1: wasmOp.f64Ge,
  2: wasmOp.f64Lt,
  4: wasmOp.f64Gt,
  5: wasmOp.f64Ge,
  6: wasmOp.f64Gt,
};

function pushBase(body: FunctionBody, base: number, known: KnownFlags): KnownFlags {
  if (known?.kind === 'float') {
    const order = orders[base];
    if (order !== undefined) {
      body.get(local.flagsA);
      body.op(wasmOp.f64ReinterpretI64);
      body.get(local.flagsB);
      body.op(wasmOp.f64ReinterpretI64, order);
      return known;
    }
  }
  // MI: the sign of the result.
  if ((known?.kind === 'subtract' || known?.kind === 'add') && (base === 2 || base === 0)) {
    const { wide } = known;
    const subtract = known.kind === 'subtract';
    if (base === 2 || !subtract) {
      pushOperand(body, local.flagsA, wide);
      pushOperand(body, local.flagsB, wide);
      if (wide) {
        body.op(subtract ? wasmOp.i64Sub : wasmOp.i64Add);
        if (base === 0) body.op(wasmOp.i64Eqz);
        else {
          body.i64(0n);
          body.op(wasmOp.i64LtS);
        }
      } else {
        body.op(subtract ? wasmOp.i32Sub : wasmOp.i32Add);
        if (base === 0) body.op(wasmOp.i32Eqz);
        else {
          body.i32(0);
          body.op(wasmOp.i32LtS);
        }
      }
      return known;
    }
  }
  if (known?.kind === 'subtract') {
    const comparison = comparisons[base]?.[known.wide ? 1 : 0];
    if (comparison !== undefined) {
      pushOperand(body, local.flagsA, known.wide);
      pushOperand(body, local.flagsB, known.wide);
      body.op(comparison);
      return known;
    }
  }
  if (known?.kind === 'logical') {
    const sign = signs[base]?.[known.wide ? 1 : 0];
    if (sign !== undefined) {
      pushOperand(body, local.flagsA, known.wide);
      if (known.wide) body.i64(0n);
      else body.i32(0);
      body.op(sign);
      return known;
    }
  }
  makeReady(body, known);
  pushReady(body, base);
  return { kind: 'ready' };
}

function pushOperand(body: FunctionBody, operand: number, wide: boolean): void {
  body.get(operand);
  if (!wide) body.op(wasmOp.i32WrapI64);
}

/** Has `nzcv` be what the flags are. */
export function makeReady(body: FunctionBody, known: KnownFlags): void {
  if (known?.kind === 'ready') return;
  if (known !== undefined) {
    body.i32(flagsKindOf(known));
    body.set(local.flagsKind);
  }
  pushFlagsCall(body);
  body.set(local.nzcv);
  body.i32(flagsKind.ready);
  body.set(local.flagsKind);
}

function pushBit(body: FunctionBody, bit: number): void {
  body.get(local.nzcv);
  if (bit > 0) {
    body.i32(bit);
    body.op(wasmOp.i32ShrU);
  }
  body.i32(1);
  body.op(wasmOp.i32And);
}

function pushReady(body: FunctionBody, base: number): void {
  const [v, c, z, n] = [0, 1, 2, 3];
  const single = [z, c, n, v][base];
  if (single !== undefined) {
    pushBit(body, single);
    return;
  }
  // HI: C and not Z. GE: N is V; GT: that, and not Z.
  if (base === 4) pushBit(body, c);
  else {
    pushBit(body, n);
    pushBit(body, v);
    body.op(wasmOp.i32Eq);
  }
  if (base === 5) return;
  pushBit(body, z);
  body.op(wasmOp.i32Eqz, wasmOp.i32And);
}

/** The function that {@link pushFlagsCall} calls: (kind, a, b, nzcv) → N, Z, C, V. */
export function writeFlagsFunction(body: FunctionBody, result: number): void {
  const [kind, a, b, nzcv] = [0, 1, 2, 3];
  const packed = (carry: () => void, overflow: () => void): void => {
    body.get(result);
    body.i64(0n);
    body.op(wasmOp.i64LtS);
    body.i32(3);
    body.op(wasmOp.i32Shl);
    body.get(result);
    body.op(wasmOp.i64Eqz);
    body.i32(2);
    body.op(wasmOp.i32Shl, wasmOp.i32Or);
    carry();
    body.i32(1);
    body.op(wasmOp.i32Shl, wasmOp.i32Or);
    overflow();
    body.op(wasmOp.i32Or, wasmOp.return);
  };
  const isKind = (value: number): void => {
    body.get(kind);
    body.i32(value);
    body.op(wasmOp.i32Eq);
    body.open(wasmOp.if);
  };
  body.get(kind);
  body.op(wasmOp.i32Eqz);
  body.open(wasmOp.if);
  body.get(nzcv);
  body.op(wasmOp.return);
  body.end();
  isKind(flagsKind.float);
  const compared = (op: WasmOp, shift: number): void => {
    for (const operand of [a, b]) {
      body.get(operand);
      body.op(wasmOp.f64ReinterpretI64);
    }
    body.op(op);
    body.i32(shift);
    body.op(wasmOp.i32Shl);
  };
  compared(wasmOp.f64Lt, 3);
  compared(wasmOp.f64Eq, 2);
  body.op(wasmOp.i32Or);
  compared(wasmOp.f64Ge, 1);
  body.op(wasmOp.i32Or, wasmOp.return);
  body.end();
  // 32 bits are those of 64 when they are the upper ones.
  body.get(kind);
  body.i32(1);
  body.op(wasmOp.i32And, wasmOp.i32Eqz);
  body.open(wasmOp.if);
  for (const operand of [a, b]) {
    body.get(operand);
    body.i64(32n);
    body.op(wasmOp.i64Shl);
    body.set(operand);
  }
  body.get(kind);
  body.i32(1);
  body.op(wasmOp.i32Sub);
  body.set(kind);
  body.end();
  const bitOfSign = (push: () => void): void => {
    push();
    body.i64(0n);
    body.op(wasmOp.i64LtS);
  };
  isKind(flagsKind.subtract);
  body.get(a);
  body.get(b);
  body.op(wasmOp.i64Sub);
  body.set(result);
  packed(
    () => {
      body.get(a);
      body.get(b);
      body.op(wasmOp.i64GeU);
    },
    () =>
      bitOfSign(() => {
        body.get(a);
        body.get(b);
        body.op(wasmOp.i64Xor);
        body.get(a);
        body.get(result);
        body.op(wasmOp.i64Xor, wasmOp.i64And);
      }),
  );
  body.end();
  isKind(flagsKind.add);
  body.get(a);
  body.get(b);
  body.op(wasmOp.i64Add);
  body.set(result);
  packed(
    () => {
      body.get(result);
      body.get(a);
      body.op(wasmOp.i64LtU);
    },
    () =>
      bitOfSign(() => {
        body.get(a);
        body.get(result);
        body.op(wasmOp.i64Xor);
        body.get(b);
        body.get(result);
        body.op(wasmOp.i64Xor, wasmOp.i64And);
      }),
  );
  body.end();
  body.get(a);
  body.set(result);
  packed(
    () => body.i32(0),
    () => body.i32(0),
  );
  body.i32(0);
}
