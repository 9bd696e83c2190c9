/** Linux's error numbers (include/uapi/asm-generic/errno-base.h and errno.h). */
export const errno = {
  notPermitted: 1,
  noEntry: 2,
  noProcess: 3,
  interrupted: 4,
  inputOutput: 5,
  noDevice: 6,
  argumentsTooLong: 7,
  noExec: 8,
  badDescriptor: 9,
  noChild: 10,
  again: 11,
  noMemory: 12,
  access: 13,
  fault: 14,
  busy: 16,
  exists: 17,
  crossDevice: 18,
  notDirectory: 20,
  isDirectory: 21,
  invalid: 22,
  tooManyFiles: 24,
  notTerminal: 25,
  textBusy: 26,
  fileTooBig: 27,
  noSpace: 28,
  illegalSeek: 29,
  readOnly: 30,
  moreLinks: 31,
  brokenPipe: 32,
  range: 34,
  deadlock: 35,
  nameTooLong: 36,
  noSystemCall: 38,
  notEmpty: 39,
  tooManyLinks: 40,
  noData: 61,
  notSocket: 88,
  destinationRequired: 89,
  messageTooLong: 90,
  wrongProtocol: 91,
  noProtocolOption: 92,
  protocolNotSupported: 93,
  notSupported: 95,
  familyNotSupported: 97,
  addressInUse: 98,
  addressNotAvailable: 99,
  networkUnreachable: 101,
  connectionAborted: 103,
  connectionReset: 104,
  isConnected: 106,
  notConnected: 107,
  timedOut: 110,
  connectionRefused: 111,
  already: 114,
  inProgress: 115,
} as const;

export type Errno = (typeof errno)[keyof typeof errno];

/** A system call failed; what the guest gets is the negative number. */
export class LinuxError extends Error {
  readonly errno: Errno;

  constructor(number: Errno) {
    // Programs fail at files all the time: finding out where we are would be most of what that takes.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`error ${number}`);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'LinuxError';
    this.errno = number;
  }
}
