import {
  type CommandBatch,
  commandBatches,
  isMacsecOperation,
  type Operation,
  parseOperation,
} from '@tapline/segments';

/** Groups of devices are for a moment: the next plan has another. Below is room for people's own. */
const firstGroup = 0x5441_0000;

export interface PrepareOptions {
  readonly wireguardKeyFile: string;
  /** Differs from plan to plan. */
  readonly serial?: number;
}

/** Operations that are all allowed, and how they are carried out. */
export interface PreparedOperations {
  readonly operations: readonly Operation[];
  /** Made at once; undefined where it takes keys, or depends on who is the MACsec device. */
  readonly batches: readonly CommandBatch[] | undefined;
  readonly options: PrepareOptions;
}

/** Checks all operations before the first is carried out. Throws `operation_invalid`. */
export function prepareOperations(
  given: readonly unknown[],
  options: PrepareOptions,
): PreparedOperations {
  const operations = given.map(parseOperation);
  const later = operations.some((operation) => 'key' in operation || isMacsecOperation(operation));
  const batches = later ? undefined : batchesOf(operations, options, { macsec: 'kernel' });
  return { operations, batches, options };
}

export function batchesOf(
  operations: readonly Operation[],
  { wireguardKeyFile, serial = 0 }: PrepareOptions,
  options: Pick<Parameters<typeof commandBatches>[1], 'keyOf' | 'macsec'>,
): readonly CommandBatch[] {
  const group = firstGroup + (serial & 0xffff);
  return commandBatches(operations, { wireguardKeyFile, group, ...options });
}
