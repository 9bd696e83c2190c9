import { simdOp, wasmOp, type WasmOp } from '../wasm.ts';
import { type ColdCode, type Push, statePlace } from './cold-code.ts';

/** What is frequent of vectors: nothing, and bits that come and go. Each ends by going to a label. */
export const coldVectors = {
  /** MOVI of zero, which clears all of the register. */
  'vector-immediate': (code: ColdCode): void => {
    const others = code.of(wasmOp.i32And, code.get('word'), 0x1fffe0);
    code.goIf(code.of(wasmOp.i32Ne, others, 0xe400), 'slow');
    setVector(code, code.i64(0n));
    code.go('next');
  },

  /** FMOV between a general register and the lowest lane. */
  'float-move': (code: ColdCode): void => {
    const which = code.of(wasmOp.i32And, code.get('word'), ~0x3ff);
    const is = (word: number): Push => code.of(wasmOp.i32Eq, which, word | 0);
    const lane = (op: WasmOp): Push => code.load(op, vectorPlace(code, 5), statePlace.vector);
    code.if(is(0x9e660000), () => {
      code.setRegisterOrZero(0, lane(wasmOp.i64Load));
      code.go('next');
    });
    code.if(is(0x1e260000), () => {
      code.setRegisterOrZero(0, lane(wasmOp.i64Load32U));
      code.go('next');
    });
    code.if(is(0x9e670000), () => {
      setVector(code, code.registerOrZero(5));
      code.go('next');
    });
    code.goIf(code.of(wasmOp.i32Eqz, is(0x1e270000)), 'slow');
    setVector(code, code.of(wasmOp.i64And, code.registerOrZero(5), code.i64(0xffffffffn)));
    code.go('next');
  },
} as const;

function vectorPlace(code: ColdCode, at: number): Push {
  return code.of(wasmOp.i32Shl, code.field(at, 5), 4);
}

/** The lower half, with zeros above it. */
function setVector(code: ColdCode, low: Push): void {
  const { body } = code;
  vectorPlace(code, 0)();
  body.simdZero();
  low();
  body.simdLane(simdOp.i64x2Replace, 0);
  body.simdMemory(simdOp.store, statePlace.vector);
}
