/** Whether `error` is one of the operating system or the platform with that code: `ENOENT`, … */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
