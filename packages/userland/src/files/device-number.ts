/** Numbers of Linux (Documentation/admin-guide/devices.txt). */
export function deviceNumber(major: number, minor: number): number {
  return major * 256 + minor;
}
