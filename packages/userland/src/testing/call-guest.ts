import { pagePermission } from '@tapline/a64';
import { ManualClock, seededRng } from '@tapline/base';
import { bytesOf } from '../byte-string.ts';
import { createKernel } from '../create-kernel.ts';
import type { LayerDirectory } from '../files/layer.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Task } from '../kernel/task.ts';
import { callSystem } from '../system-calls/call-system.ts';
import { systemCallNames } from '../system-calls/system-call-names.ts';

const { read, write } = pagePermission;
const roomSize = 65_536;
/** -ERESTARTSYS, which no guest is ever told: the call has to wait. */
const wouldWait = -512;

/** A process without a program: a test makes its system calls. */
export interface GuestCaller {
  readonly kernel: Kernel;
  readonly task: Task;
  /** Where answers can be written; a view of the guest's memory. */
  readonly room: bigint;
  readonly roomBytes: Uint8Array;
  /** Texts are put into memory and are their addresses. What it answers is X0, signed. */
  call(name: string, ...args: readonly (number | bigint | string)[]): number;
  /** The guest has not given up the room. */
  readonly mapped: boolean;
}

export function guestCaller(files: LayerDirectory): GuestCaller {
  const kernel = createKernel({
    files,
    clock: new ManualClock(),
    rng: seededRng(1),
    memoryLimit: 16 * 1024 * 1024,
    addressSpace: 16 * 1024 * 1024,
    hotAfter: 0,
  });
  const task = kernel.createFirst();
  const { space } = task.process;
  const room = space.map({ length: roomSize, permissions: read | write });
  const texts = space.map({ length: roomSize, permissions: read | write });
  const numbers = new Map(
    Object.entries(systemCallNames).map(([key, name]) => [name, Number(key)]),
  );
  return {
    kernel,
    task,
    room: BigInt(room),
    roomBytes: space.memory.bytesAt(room, roomSize),
    get mapped() {
      return space.memory.permissionsOf(room) === (read | write);
    },
    call(name, ...args) {
      let at = texts;
      const { cpu } = task;
      for (let index = 0; index < 6; index++) {
        const given = args[index] ?? 0;
        if (typeof given === 'string') {
          const bytes = bytesOf(`${given}\0`);
          // The guest may have given up that room.
          if (space.regionAt(at) === undefined)
            space.mapAt(texts, { length: roomSize, permissions: read | write });
          space.memory.bytesAt(at, bytes.length).set(bytes);
          cpu.setX(index, BigInt(at));
          at += bytes.length;
        } else cpu.setX(index, BigInt.asUintN(64, BigInt(given)));
      }
      cpu.setX(8, BigInt(numbers.get(name) ?? -1));
      callSystem(task);
      if (task.call !== undefined) {
        // Nobody is there to wake it.
        kernel.wake(task);
        task.call.cancel?.();
        task.call = undefined;
        return wouldWait;
      }
      if (task.state === 'dead') return 0;
      return Number(BigInt.asIntN(64, task.cpu.x(0)));
    },
  };
}
