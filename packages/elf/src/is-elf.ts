/** Whether `bytes` begin with the magic of ELF. Says nothing of class, machine or validity. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}
