import type { MemoryInstruction, PostIndex } from '../memory-instruction.ts';
import type { Cpu } from './cpu.ts';
import type { Executors } from './executors.ts';
import { pagePermission } from './linear-memory.ts';

type Structures = Extract<
  MemoryInstruction,
  { readonly kind: 'load-store-structures' | 'load-store-lane' }
>;

/** LD1–LD4, ST1–ST4: elements of structures, one register for each. */
export const structureExecutors: Executors<Structures> = {
  'load-store-structures': ({ load, q, size, registers, elements, rt, rn, postIndex }, cpu) => {
    const lanes = (q ? 16 : 8) >> size;
    const length = (lanes * registers) << size;
    const at = resolve({ rn, length, load }, cpu);
    if (load) {
      for (let register = 0; register < registers; register++) {
        cpu.setVector((rt + register) % 32, 0n, 0n);
      }
    }
    let from = at;
    // Registers without structures follow each other; elements of structures alternate.
    for (let first = 0; first < registers; first += elements) {
      for (let index = 0; index < lanes; index++) {
        for (let element = 0; element < elements; element++) {
          move({ load, size, index, register: (rt + first + element) % 32 }, from, cpu);
          from += 1 << size;
        }
      }
    }
    writeBack({ rn, length, postIndex }, cpu);
  },
  'load-store-lane': ({ load, q, size, elements, index, rt, rn, postIndex }, cpu) => {
    const length = elements << size;
    const at = resolve({ rn, length, load }, cpu);
    for (let element = 0; element < elements; element++) {
      const register = (rt + element) % 32;
      const from = at + (element << size);
      if (index !== undefined) move({ load, size, index, register }, from, cpu);
      else {
        const value = cpu.memory.read(from, size);
        const lanes = (q ? 16 : 8) >> size;
        cpu.setLanes(
          register,
          size,
          Array.from({ length: lanes }, () => value),
        );
      }
    }
    writeBack({ rn, length, postIndex }, cpu);
  },
};

function resolve(
  access: { readonly rn: number; readonly length: number; readonly load: boolean },
  cpu: Cpu,
): number {
  const permission = access.load ? pagePermission.read : pagePermission.write;
  return cpu.memory.resolve(cpu.x(access.rn), { length: access.length, permission });
}

function move(
  lane: {
    readonly load: boolean;
    readonly size: number;
    readonly index: number;
    readonly register: number;
  },
  at: number,
  cpu: Cpu,
): void {
  if (lane.load) cpu.setLane(lane.register, lane, cpu.memory.read(at, lane.size));
  else cpu.memory.write(at, cpu.lane(lane.register, lane.size, lane.index), lane.size);
}

function writeBack(
  access: {
    readonly rn: number;
    readonly length: number;
    readonly postIndex: PostIndex | undefined;
  },
  cpu: Cpu,
): void {
  const { rn, length, postIndex } = access;
  if (postIndex === undefined) return;
  const step = postIndex.rm === undefined ? BigInt(length) : cpu.x(postIndex.rm);
  cpu.setX(rn, cpu.x(rn) + step);
}
