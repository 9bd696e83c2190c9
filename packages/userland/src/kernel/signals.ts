// include/uapi/asm-generic/signal.h
export const signal = {
  hangUp: 1,
  interrupt: 2,
  quit: 3,
  illegal: 4,
  trap: 5,
  abort: 6,
  bus: 7,
  floating: 8,
  kill: 9,
  segment: 11,
  pipe: 13,
  alarm: 14,
  terminate: 15,
  child: 17,
  continue: 18,
  stop: 19,
  terminalStop: 20,
  terminalInput: 21,
  terminalOutput: 22,
  urgent: 23,
  virtualAlarm: 26,
  windowChange: 28,
} as const;

export const lastSignal = 64;

/** struct siginfo, what of it is used. */
export interface SignalInfo {
  readonly signal: number;
  /** si_code. */
  readonly code: number;
  readonly pid?: number;
  readonly uid?: number;
  /** Of a child: its exit code or signal. */
  readonly status?: number;
  /** Of a fault. */
  readonly address?: bigint;
  /** sival_ptr. */
  readonly value?: bigint;
}

// include/uapi/asm-generic/siginfo.h
export const signalCode = {
  user: 0,
  kernel: 0x80,
  queue: -1,
  timer: -2,
  thread: -6,
  mapError: 1,
  accessError: 2,
  exited: 1,
  killed: 2,
  stopped: 5,
  continued: 6,
} as const;

/** struct sigaction of the kernel. */
export interface SignalAction {
  /** Where the handler is, or 0 for the default and 1 for ignoring. */
  readonly handler: bigint;
  readonly flags: number;
  readonly restorer: bigint;
  /** Blocked while the handler runs. */
  readonly mask: bigint;
}

export const actionFlags = {
  noChildStop: 1,
  noChildWait: 2,
  info: 4,
  restorer: 0x04000000,
  onStack: 0x08000000,
  restart: 0x10000000,
  noDefer: 0x40000000,
  reset: 0x80000000,
} as const;

export const defaultHandler = 0n;
export const ignoreHandler = 1n;

export type DefaultAction = 'ignore' | 'continue' | 'stop' | 'terminate';

export function defaultActionOf(number: number): DefaultAction {
  switch (number) {
    case signal.child:
    case signal.urgent:
    case signal.windowChange:
      return 'ignore';
    case signal.continue:
      return 'continue';
    case signal.stop:
    case signal.terminalStop:
    case signal.terminalInput:
    case signal.terminalOutput:
      return 'stop';
    default:
      return 'terminate';
  }
}

/** The bit of a signal in a mask. */
export function signalBit(number: number): bigint {
  return 1n << BigInt(number - 1);
}

/** Nobody can block these. */
export const neverBlocked: bigint = signalBit(signal.kill) | signalBit(signal.stop);
