import type { VectorInstruction } from '../vector-instruction.ts';
import { aesDecrypt, aesEncrypt, aesMixColumns } from './aes.ts';
import type { Cpu } from './cpu.ts';
import type { Executors } from './executors.ts';
import { sha1Update, sha256Update } from './sha.ts';

type Cryptography = Extract<VectorInstruction, { readonly kind: 'aes' | 'sha-three' | 'sha-two' }>;
type Of<Kind extends Cryptography['kind']> = Extract<Cryptography, { readonly kind: Kind }>;

const words = { size: 2, lanes: 4 };
const bytes = { size: 0, lanes: 16 };

/** AES, SHA-1 and SHA-256 as the Arm ARM splits them into instructions. */
export const cryptographyExecutors: Executors<Cryptography> = {
  aes: ({ op, rd, rn }, cpu) => {
    const source = byteVector(rn, cpu);
    const keyed = byteVector(rd, cpu).map((byte, at) => byte ^ (source[at] ?? 0));
    const results = {
      aese: () => aesEncrypt(keyed),
      aesd: () => aesDecrypt(keyed),
      aesmc: () => aesMixColumns(source, false),
      aesimc: () => aesMixColumns(source, true),
    };
    cpu.setLanes(rd, 0, Array.from(results[op](), BigInt));
  },
  'sha-three': (instruction, cpu) => {
    cpu.setLanes(instruction.rd, 2, Array.from(shaThree(instruction, cpu), BigInt));
  },
  'sha-two': ({ op, rd, rn }, cpu) => {
    if (op === 'sha1h') {
      cpu.setVector(rd, BigInt(rotate(Number(cpu.lane(rn, 2, 0)), 30)), 0n);
      return;
    }
    const state = wordVector(rd, cpu);
    const source = wordVector(rn, cpu);
    const values = op === 'sha1su1' ? sha1Schedule1(state, source) : sha256Schedule0(state, source);
    cpu.setLanes(rd, 2, Array.from(values, BigInt));
  },
};

function byteVector(register: number, cpu: Cpu): Uint8Array {
  return Uint8Array.from(cpu.lanes(register, bytes), Number);
}

function wordVector(register: number, cpu: Cpu): Uint32Array {
  return Uint32Array.from(cpu.lanes(register, words), Number);
}

function rotate(value: number, left: number): number {
  return ((value << left) | (value >>> (32 - left))) >>> 0;
}

function shaThree({ op, rd, rn, rm }: Of<'sha-three'>, cpu: Cpu): Uint32Array {
  const d = wordVector(rd, cpu);
  const n = wordVector(rn, cpu);
  const m = wordVector(rm, cpu);
  switch (op) {
    case 'sha1c':
    case 'sha1p':
    case 'sha1m':
      return sha1Update(op, { abcd: d, e: n[0] ?? 0, schedule: m });
    case 'sha1su0':
      return Uint32Array.from([2, 3, 4, 5], (from, at) => {
        const shifted = from < 4 ? d[from] : n[from - 4];
        return (shifted ?? 0) ^ (d[at] ?? 0) ^ (m[at] ?? 0);
      });
    case 'sha256h':
      return sha256Update({ abcd: d, efgh: n, schedule: m }).abcd;
    case 'sha256h2':
      return sha256Update({ abcd: n, efgh: d, schedule: m }).efgh;
    case 'sha256su1':
      return sha256Schedule1(d, n, m);
  }
}

/** SHA1SU1: finishes four words of the schedule, the last of which needs the first. */
function sha1Schedule1(state: Uint32Array, source: Uint32Array): Uint32Array {
  const mixed = Uint32Array.from([1, 2, 3, 4], (from, at) => {
    const shifted = from < 4 ? (source[from] ?? 0) : 0;
    return (state[at] ?? 0) ^ shifted;
  });
  const result = mixed.map((word) => rotate(word, 1));
  result[3] = rotate(mixed[3] ?? 0, 1) ^ rotate(mixed[0] ?? 0, 2);
  return result;
}

/** SHA256SU0: σ0 of the next word, added to each. */
function sha256Schedule0(state: Uint32Array, source: Uint32Array): Uint32Array {
  return state.map((word, at) => {
    const next = at < 3 ? (state[at + 1] ?? 0) : (source[0] ?? 0);
    return word + (rotate(next, 25) ^ rotate(next, 14) ^ (next >>> 3));
  });
}

/** SHA256SU1: σ1 of the words that come two before, of which the last two are made here. */
function sha256Schedule1(d: Uint32Array, n: Uint32Array, m: Uint32Array): Uint32Array {
  const result = new Uint32Array(4);
  for (let at = 0; at < 4; at++) {
    const before = at < 2 ? (m[at + 2] ?? 0) : (result[at - 2] ?? 0);
    const sigma = rotate(before, 15) ^ rotate(before, 13) ^ (before >>> 10);
    const seven = at < 3 ? (n[at + 1] ?? 0) : (m[0] ?? 0);
    result[at] = (d[at] ?? 0) + sigma + seven;
  }
  return result;
}
