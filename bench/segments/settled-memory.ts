import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** Bytes between two looks: less than 1 % of what the VNIs of a large node may take. */
const settled = 2e6;

/** The kernel's memory, in bytes, once it has stayed the same for a second, or after half a minute. */
export async function settledMemory(): Promise<number> {
  let last = kernelBytes();
  for (let second = 0; second < 30; second += 1) {
    await delay(1000);
    const now = kernelBytes();
    if (Math.abs(now - last) < settled) return now;
    last = now;
  }
  return last;
}

function kernelBytes(): number {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+([0-9]+)`, 'm').exec(text)?.[1] ?? 0);
  return (kilobytes('SUnreclaim') + kilobytes('Percpu') + kilobytes('VmallocUsed')) * 1024;
}
