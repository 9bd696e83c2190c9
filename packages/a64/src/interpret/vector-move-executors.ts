import type { VectorInstruction } from '../vector-instruction.ts';
import type { Executors } from './executors.ts';

type Move = Extract<
  VectorInstruction,
  {
    readonly kind:
      | 'vector-logical'
      | 'vector-reverse'
      | 'vector-duplicate'
      | 'vector-duplicate-general'
      | 'vector-to-general'
      | 'vector-insert-general'
      | 'vector-insert'
      | 'vector-immediate'
      | 'vector-permute'
      | 'vector-extract'
      | 'vector-table';
  }
>;
type Of<Kind extends Move['kind']> = Extract<Move, { readonly kind: Kind }>;

/** What moves bits and lanes without computing with them. */
export const vectorMoveExecutors: Executors<Move> = {
  'vector-logical': ({ op, q, rd, rn, rm }, cpu) => {
    const halves = [0, 1].map((half) =>
      logical(op, {
        a: cpu.lane(rn, 3, half),
        b: cpu.lane(rm, 3, half),
        old: cpu.lane(rd, 3, half),
      }),
    );
    cpu.setVector(rd, halves[0] ?? 0n, q ? (halves[1] ?? 0n) : 0n);
  },
  'vector-reverse': (instruction, cpu) => {
    const { size, container, rd, rn } = instruction;
    const values = cpu.lanes(rn, instruction);
    const last = (1 << (container - size)) - 1;
    // Lanes of a container are reversed by inverting the low bits of their index.
    cpu.setLanes(
      rd,
      size,
      values.map((_, at) => values[at ^ last] ?? 0n),
    );
  },
  'vector-duplicate': ({ size, lanes, index, rd, rn }, cpu) => {
    const value = cpu.lane(rn, size, index);
    cpu.setLanes(
      rd,
      size,
      Array.from({ length: lanes }, () => value),
    );
  },
  'vector-duplicate-general': ({ size, lanes, rd, rn }, cpu) => {
    const value = cpu.x(rn);
    cpu.setLanes(
      rd,
      size,
      Array.from({ length: lanes }, () => value),
    );
  },
  'vector-to-general': ({ op, size, index, wide, rd, rn }, cpu) => {
    const value = cpu.lane(rn, size, index);
    cpu.setGeneral(rd, op === 'smov' ? BigInt.asIntN(8 << size, value) : value, wide);
  },
  'vector-insert-general': (instruction, cpu) => {
    cpu.setLane(instruction.rd, instruction, cpu.x(instruction.rn));
  },
  'vector-insert': ({ size, to, from, rd, rn }, cpu) => {
    cpu.setLane(rd, { size, index: to }, cpu.lane(rn, size, from));
  },
  'vector-immediate': ({ operation, q, rd, imm }, cpu) => {
    const halves = [0, 1].map((half) => {
      const old = cpu.lane(rd, 3, half);
      return operation === 'replace' ? imm : operation === 'orr' ? old | imm : old & ~imm;
    });
    cpu.setVector(rd, halves[0] ?? 0n, q ? (halves[1] ?? 0n) : 0n);
  },
  'vector-permute': (instruction, cpu) => {
    const { size, rd, rn, rm } = instruction;
    const values = permuted(instruction, cpu.lanes(rn, instruction), cpu.lanes(rm, instruction));
    cpu.setLanes(rd, size, values);
  },
  'vector-extract': ({ q, index, rd, rn, rm }, cpu) => {
    const bytes = { size: 0, lanes: q ? 16 : 8 };
    const both = [...cpu.lanes(rn, bytes), ...cpu.lanes(rm, bytes)];
    cpu.setLanes(rd, 0, both.slice(index, index + bytes.lanes));
  },
  'vector-table': ({ op, q, registers, rd, rn, rm }, cpu) => {
    const table = Array.from({ length: registers }, (_, at) =>
      cpu.lanes((rn + at) % 32, { size: 0, lanes: 16 }),
    ).flat();
    const bytes = { size: 0, lanes: q ? 16 : 8 };
    const old = cpu.lanes(rd, bytes);
    const values = cpu
      .lanes(rm, bytes)
      .map((index, at) => table[Number(index)] ?? (op === 'tbx' ? (old[at] ?? 0n) : 0n));
    cpu.setLanes(rd, 0, values);
  },
};

function logical(
  op: Of<'vector-logical'>['op'],
  { a, b, old }: { readonly a: bigint; readonly b: bigint; readonly old: bigint },
): bigint {
  switch (op) {
    case 'and':
      return a & b;
    case 'bic':
      return a & ~b;
    case 'orr':
      return a | b;
    case 'orn':
      return a | ~b;
    case 'eor':
      return a ^ b;
    case 'bsl':
      return b ^ ((b ^ a) & old);
    case 'bit':
      return old ^ ((old ^ a) & b);
    case 'bif':
      return old ^ ((old ^ a) & ~b);
  }
}

function permuted(
  { op, lanes }: Of<'vector-permute'>,
  a: readonly bigint[],
  b: readonly bigint[],
): readonly bigint[] {
  const second = op.endsWith('2') ? 1 : 0;
  const both = [...a, ...b];
  return Array.from({ length: lanes }, (_, at) => {
    const pair = at >> 1;
    const odd = (at & 1) === 1;
    switch (op) {
      case 'uzp1':
      case 'uzp2':
        return both[2 * at + second] ?? 0n;
      case 'trn1':
      case 'trn2':
        return (odd ? b : a)[2 * pair + second] ?? 0n;
      case 'zip1':
      case 'zip2':
        return (odd ? b : a)[pair + (second * lanes) / 2] ?? 0n;
    }
  });
}
