/** Linux's error numbers (include/uapi/asm-generic/errno-base.h and errno.h). */
export const errno = {
  noEntry: 2,
  noExec: 8,
  badDescriptor: 9,
  noMemory: 12,
  access: 13,
  fault: 14,
  exists: 17,
  notDirectory: 20,
  isDirectory: 21,
  invalid: 22,
  tooManyFiles: 24,
  notTerminal: 25,
  illegalSeek: 29,
  readOnly: 30,
  range: 34,
  nameTooLong: 36,
  noSystemCall: 38,
  tooManyLinks: 40,
} as const;

export type Errno = (typeof errno)[keyof typeof errno];

/** A system call failed; what the guest gets is the negative number. */
export class LinuxError extends Error {
  readonly errno: Errno;

  constructor(number: Errno) {
    super(`error ${number}`);
    this.name = 'LinuxError';
    this.errno = number;
  }
}
