import { AddressSpace } from '../memory/address-space.ts';
import { MachinePool } from '../memory/machine-pool.ts';
import { MemoryBudget } from '../memory/memory-budget.ts';

/** Room for address spaces, with nothing running in them. */
export function testPool(options: { readonly bytes: number; readonly machines?: number }): {
  readonly pool: MachinePool;
  readonly budget: MemoryBudget;
  readonly space: () => AddressSpace;
} {
  const pool = new MachinePool({
    machines: options.machines ?? 4,
    addressSpace: options.bytes,
    hotAfter: 0,
    environment: { counter: () => 0n, counterFrequency: 1n, identification: () => 0n },
  });
  const budget = new MemoryBudget(options.bytes);
  return { pool, budget, space: () => new AddressSpace(pool, budget) };
}
