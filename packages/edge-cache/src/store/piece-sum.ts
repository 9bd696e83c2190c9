import { TaplineError } from '@tapline/base';

/** Bodies on disk carry a sum for each piece of this size, so that each is checked before it is sent. */
export const pieceBytes: number = 64 * 1024;

/** Sums at most `pieceBytes` bytes: 32 bits. */
export type PieceSum = (bytes: Uint8Array) => number;

const prime = 0x9e3779b1;
const rotation = 13;
const lanes = 8;
const laneBytes = 16;
const stepBytes = lanes * laneBytes;

/**
 * A checksum at the speed of memory, which Node's own are far from: 32 rows of words are folded by
 * exclusive or, rotation and a multiplication, each a bijection, in vectors of WebAssembly. One wrong
 * word is always seen, more of them but once in four billion times. It is against damage, not against
 * people: who may write to the disk may write the sums, too.
 */
export function createPieceSum(): PieceSum {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const module = new WebAssembly.Module(sumModule());
  const { exports } = new WebAssembly.Instance(module, { m: { m: memory } });
  const fold = exports['f'] as (end: number) => number;
  const window = new Uint8Array(memory.buffer);
  return (bytes) => {
    if (bytes.length > pieceBytes) {
      throw new TaplineError(
        'internal',
        `a piece of ${bytes.length} bytes is longer than ${pieceBytes}`,
      );
    }
    if (bytes.length === 0) return 0;
    window.set(bytes);
    const end = Math.ceil(bytes.length / stepBytes) * stepBytes;
    window.fill(0, bytes.length, end);
    // The length counts, or zeros at the end would not.
    return (fold(end) ^ Math.imul(bytes.length, prime)) >>> 0;
  };
}

type Code = readonly number[];

// The WebAssembly core specification 2.0, "Binary Format".
const type = { i32: 0x7f, v128: 0x7b, func: 0x60 } as const;
const op = {
  loop: 0x03,
  void: 0x40,
  end: 0x0b,
  branchIf: 0x0d,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i32LessUnsigned: 0x49,
  i32Add: 0x6a,
  i32Mul: 0x6c,
  i32Xor: 0x73,
  vector: 0xfd,
} as const;
const vectorOp = {
  load: 0x00,
  const: 0x0c,
  extractLane: 0x1b,
  or: 0x50,
  xor: 0x51,
  shiftLeft: 0xab,
  shiftRight: 0xad,
  multiply: 0xb5,
} as const;

/** Local 0 is the end, 1 where it reads, 2 the primes, 3 what is rotated, 4 and on the sums. */
const [endLocal, atLocal, primesLocal, turnedLocal, firstSum] = [0, 1, 2, 3, 4] as const;

function sumModule(): Uint8Array<ArrayBuffer> {
  const body = joined(locals(), loadPrimes(), seedSums(), loop(), foldSums(), [op.end]);
  const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  return Uint8Array.from(
    joined(
      magicAndVersion,
      section(1, [1, type.func, 1, type.i32, 1, type.i32]),
      section(2, joined([1], name('m'), name('m'), [0x02, 0x01, 1, 1])),
      section(3, [1, 0]),
      section(7, joined([1], name('f'), [0x00, 0])),
      section(10, joined([1], unsigned(body.length), body)),
    ),
  );
}

function locals(): Code {
  return [2, 1, type.i32, 2 + lanes, type.v128];
}

function loadPrimes(): Code {
  return joined(vectorConst([prime, prime, prime, prime]), [op.localSet, primesLocal]);
}

/** Each row begins with another word, so that rows that change places are seen. */
function seedSums(): Code {
  return everyLane((lane) =>
    joined(vectorConst([1, 2, 3, 4].map((word) => Math.imul(4 * lane + word, prime))), [
      op.localSet,
      firstSum + lane,
    ]),
  );
}

function loop(): Code {
  return joined(
    [op.loop, op.void],
    everyLane((lane) => {
      const sum = firstSum + lane;
      return joined(
        [op.localGet, sum, op.localGet, atLocal],
        joined([op.vector, vectorOp.load, 4], unsigned(lane * laneBytes)),
        [op.vector, vectorOp.xor, op.localTee, turnedLocal],
        [op.i32Const, rotation, op.vector, vectorOp.shiftLeft, 1],
        [op.localGet, turnedLocal, op.i32Const, 32 - rotation],
        [op.vector, vectorOp.shiftRight, 1, op.vector, vectorOp.or],
        [op.localGet, primesLocal, op.vector, vectorOp.multiply, 1, op.localSet, sum],
      );
    }),
    joined([op.localGet, atLocal, op.i32Const], signed(stepBytes), [op.i32Add]),
    [op.localTee, atLocal, op.localGet, endLocal, op.i32LessUnsigned, op.branchIf, 0, op.end],
  );
}

/** All rows into one word, each at a place of its own. */
function foldSums(): Code {
  const words = everyLane((lane) =>
    [0, 1, 2, 3].flatMap((word) =>
      joined(
        [op.i32Const],
        signed(prime | 0),
        [op.i32Mul],
        [op.localGet, firstSum + lane],
        [op.vector, vectorOp.extractLane, word, op.i32Xor],
      ),
    ),
  );
  return joined([op.i32Const, 1], words);
}

function everyLane(write: (lane: number) => Code): Code {
  return Array.from({ length: lanes }, (_, lane) => lane).flatMap(write);
}

function vectorConst(words: readonly number[]): Code {
  const bytes = new Uint8Array(Uint32Array.from(words, (word) => word >>> 0).buffer);
  return [op.vector, vectorOp.const, ...bytes];
}

function joined(...parts: readonly Code[]): Code {
  return parts.flat();
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function name(text: string): Code {
  return [text.length, ...Buffer.from(text, 'latin1')];
}

/** LEB128. */
function unsigned(value: number): Code {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [low | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const low = value & 0x7f;
  const rest = value >> 7;
  const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
  return last ? [low] : [low | 0x80, ...signed(rest)];
}
