/** A guest used memory it may not. Caught where instructions are run, and answered as a value. */
export class MemoryFault extends Error {
  readonly address: bigint;
  readonly permission: number;

  /** `permission` is the one that was missing. */
  constructor(address: bigint, permission: number) {
    super(`memory fault at 0x${address.toString(16)}`);
    this.name = 'MemoryFault';
    this.address = address;
    this.permission = permission;
  }
}
