import { cpuLayout } from '@tapline/a64';
import { guestBytes, guestRoom, viewOf } from '../memory/guest-memory.ts';
import { actionFlags, signalBit, type SignalAction, type SignalInfo } from './signals.ts';
import type { Task } from './task.ts';

// struct rt_sigframe of arch/arm64/kernel/signal.c: siginfo, then ucontext, then the frame record.
const infoSize = 128;
const context = { flags: 0, stack: 16, mask: 40, machine: 176 } as const;
const machineContext = {
  fault: 0,
  registers: 8,
  sp: 256,
  pc: 264,
  state: 272,
  extra: 288,
} as const;
const extraSize = 4096;
const contextSize = context.machine + machineContext.extra + extraSize;
const frameSize = infoSize + contextSize + 16;
const vectorMagic = 0x46508001;
const vectorSize = 528;
/** SS_ONSTACK, SS_DISABLE. */
const stackFlags = { on: 1, disabled: 2 };

/** Has the thread go on in a handler; its registers are on its stack until it comes back. */
export function enterHandler(
  task: Task,
  info: SignalInfo,
  how: { readonly action: SignalAction; readonly returnTo: number },
): void {
  const { action } = how;
  const { cpu, alternativeStack: stack } = task;
  const sp = cpu.x(31);
  const onStack = isOnStack(task, sp);
  const switches =
    (action.flags & actionFlags.onStack) !== 0 &&
    (stack.flags & stackFlags.disabled) === 0 &&
    !onStack;
  const top = switches ? stack.address + stack.size : sp;
  const at = ((top - BigInt(frameSize)) / 16n) * 16n;
  const room = guestRoom(cpu.memory, at, frameSize);
  room.fill(0);
  writeSignalInfo(room, info);
  const view = viewOf(room.subarray(infoSize));
  view.setBigUint64(context.stack, stack.address, true);
  view.setInt32(context.stack + 8, stack.flags | (onStack ? stackFlags.on : 0), true);
  view.setBigUint64(context.stack + 16, stack.size, true);
  view.setBigUint64(context.mask, task.maskAfterCall ?? task.mask, true);
  task.maskAfterCall = undefined;
  const machine = context.machine;
  view.setBigUint64(machine + machineContext.fault, info.address ?? 0n, true);
  for (let register = 0; register < 32; register++) {
    view.setBigUint64(machine + machineContext.registers + register * 8, cpu.x(register), true);
  }
  view.setBigUint64(machine + machineContext.pc, cpu.pc, true);
  view.setBigUint64(machine + machineContext.state, BigInt(cpu.nzcv) << 28n, true);
  const vectors = machine + machineContext.extra;
  view.setUint32(vectors, vectorMagic, true);
  view.setUint32(vectors + 4, vectorSize, true);
  view.setUint32(vectors + 8, cpu.fpsr, true);
  view.setUint32(vectors + 12, cpu.fpcr, true);
  room.set(cpu.state.subarray(cpuLayout.vector, cpuLayout.vector + 512), infoSize + vectors + 16);
  const record = viewOf(room.subarray(infoSize + contextSize));
  record.setBigUint64(0, cpu.x(29), true);
  record.setBigUint64(8, cpu.x(30), true);
  cpu.setX(0, BigInt(info.signal));
  cpu.setX(1, at);
  cpu.setX(2, at + BigInt(infoSize));
  cpu.setX(29, at + BigInt(infoSize + contextSize));
  cpu.setX(
    30,
    (action.flags & actionFlags.restorer) === 0 ? BigInt(how.returnTo) : action.restorer,
  );
  cpu.setX(31, at);
  cpu.pc = action.handler;
  const own = (action.flags & actionFlags.noDefer) === 0 ? signalBit(info.signal) : 0n;
  task.mask |= action.mask | own;
}

/** rt_sigreturn: all registers are what the frame says. */
export function leaveHandler(task: Task): void {
  const { cpu } = task;
  const frame = guestBytes(cpu.memory, cpu.x(31), frameSize);
  const view = viewOf(frame.subarray(infoSize));
  task.mask = view.getBigUint64(context.mask, true);
  const machine = context.machine;
  for (let register = 0; register < 32; register++) {
    cpu.setX(register, view.getBigUint64(machine + machineContext.registers + register * 8, true));
  }
  cpu.pc = view.getBigUint64(machine + machineContext.pc, true);
  cpu.nzcv = Number((view.getBigUint64(machine + machineContext.state, true) >> 28n) & 15n);
  const vectors = machine + machineContext.extra;
  if (view.getUint32(vectors, true) === vectorMagic) {
    cpu.fpsr = view.getUint32(vectors + 8, true);
    cpu.fpcr = view.getUint32(vectors + 12, true);
    const from = infoSize + vectors + 16;
    cpu.state.set(frame.subarray(from, from + 512), cpuLayout.vector);
  }
  cpu.reservation = undefined;
}

/** struct siginfo. */
export function writeSignalInfo(room: Uint8Array, info: SignalInfo): void {
  const view = viewOf(room);
  view.setInt32(0, info.signal, true);
  view.setInt32(8, info.code, true);
  if (info.address !== undefined) {
    view.setBigUint64(16, info.address, true);
    return;
  }
  view.setInt32(16, info.pid ?? 0, true);
  view.setUint32(20, info.uid ?? 0, true);
  if (info.value === undefined) view.setInt32(24, info.status ?? 0, true);
  else view.setBigUint64(24, info.value, true);
}

export function isOnStack({ alternativeStack: stack }: Task, sp: bigint): boolean {
  return sp > stack.address && sp - stack.address <= stack.size;
}
