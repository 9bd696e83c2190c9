import { errno, LinuxError } from '../errno.ts';
import { type OpenFile, pollEvents } from '../files/open-file.ts';
import type { Task } from '../kernel/task.ts';
import { Wait } from '../kernel/wait-queue.ts';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import { int, readTimespec, waitFor } from './arguments.ts';
import { readMask } from './signal-calls.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';

const mostDescriptors = 1024;
const always = pollEvents.error | pollEvents.hangUp | pollEvents.invalid;
/** POLLRDNORM and POLLWRNORM are the plain ones, too. */
const alsoReadable = 0x40;
const alsoWritable = 0x100;

function eventsOf(file: OpenFile): number {
  const events = file.poll();
  return (
    events |
    ((events & pollEvents.in) === 0 ? 0 : alsoReadable) |
    ((events & pollEvents.out) === 0 ? 0 : alsoWritable)
  );
}

function lookUp(task: Task, number: number): OpenFile | undefined {
  const { descriptors } = task.process;
  return descriptors.has(number) ? descriptors.get(number) : undefined;
}

/** The mask of signals for as long as the call takes. */
export function useMask(task: Task, address: bigint): void {
  if (address === 0n || task.maskAfterCall !== undefined) return;
  const before = task.mask;
  task.mask = readMask(task, address);
  task.maskAfterCall = before;
}

const ppoll: SystemCall = (task, [address, countBits, timeout, mask]) => {
  const count = int(countBits);
  if (count < 0 || count > mostDescriptors) throw new LinuxError(errno.invalid);
  useMask(task, mask);
  const view = viewOf(guestRoom(task.memory, address, count * 8));
  const queues = new Set<OpenFile['changed']>();
  let ready = 0;
  for (let index = 0; index < count; index++) {
    const number = view.getInt32(index * 8, true);
    const wanted = view.getUint16(index * 8 + 4, true);
    let found = 0;
    if (number >= 0) {
      const file = lookUp(task, number);
      if (file === undefined) found = pollEvents.invalid;
      else {
        found = eventsOf(file) & (wanted | always);
        queues.add(file.changed);
      }
    }
    view.setUint16(index * 8 + 6, found, true);
    if (found !== 0) ready++;
  }
  if (ready > 0) return ready;
  return pause(task, [...queues], timeout);
};

/** Nothing is ready: waits, or says so when the time is over. */
function pause(task: Task, queues: readonly OpenFile['changed'][], timeout: bigint): number | Wait {
  const ms = timeout === 0n ? undefined : readTimespec(task, timeout);
  if (ms === 0) return 0;
  const waiting = waitFor(task, queues, ms);
  return waiting === 'expired' ? 0 : waiting;
}

const pselect6: SystemCall = (
  task,
  [countBits, readSet, writeSet, exceptSet, timeout, maskPair],
) => {
  const count = int(countBits);
  if (count < 0) throw new LinuxError(errno.invalid);
  if (maskPair !== 0n) {
    useMask(task, viewOf(guestBytes(task.memory, maskPair, 16)).getBigUint64(0, true));
  }
  const number = Math.min(count, mostDescriptors);
  const size = Math.ceil(number / 64) * 8;
  const sets = [readSet, writeSet, exceptSet].map((address) =>
    address === 0n ? undefined : guestRoom(task.memory, address, size),
  );
  const wanted = [
    pollEvents.in | pollEvents.hangUp | pollEvents.error,
    pollEvents.out | pollEvents.error,
    0,
  ];
  const results = sets.map((set) => (set === undefined ? undefined : new Uint8Array(set.length)));
  const queues = new Set<OpenFile['changed']>();
  let ready = 0;
  for (let fd = 0; fd < number; fd++) {
    for (const [index, set] of sets.entries()) {
      if (set === undefined || ((set[fd >> 3] ?? 0) & (1 << (fd & 7))) === 0) continue;
      const file = lookUp(task, fd);
      if (file === undefined) throw new LinuxError(errno.badDescriptor);
      queues.add(file.changed);
      if ((file.poll() & (wanted[index] ?? 0)) === 0) continue;
      const result = results[index];
      if (result !== undefined) result[fd >> 3] = (result[fd >> 3] ?? 0) | (1 << (fd & 7));
      ready++;
    }
  }
  if (ready === 0) {
    const waiting = pause(task, [...queues], timeout);
    if (waiting instanceof Wait) return waiting;
  }
  for (const [index, set] of sets.entries()) set?.set(results[index] ?? []);
  return ready;
};

/** System calls that wait for one of several files, by their names in Linux. */
export const pollCalls: SystemCalls = { ppoll, pselect6 };
