import { readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { type Clock, isSystemError } from '@tapline/base';

/** What changes with each boot: the kernel's own id, or on other systems the minute of the boot. */
export async function bootId(clock: Clock): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
    return `boot-${Math.round((clock.now() / 1000 - uptime()) / 60)}`;
  }
}
