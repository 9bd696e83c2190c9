import type { Command } from './command.ts';
import type { Operation } from './operation.ts';
import { renderOperation } from './render-operation.ts';

/** Lines that one process takes. */
export interface CommandBatch extends Omit<Command, 'line'> {
  readonly lines: readonly string[];
  /** For each line, the index of the operation that it is of. */
  readonly operations: readonly number[];
}

/** In the operations' order, with as few processes as it takes. */
export function commandBatches(
  operations: readonly Operation[],
  options: { readonly wireguardKeyFile: string },
): readonly CommandBatch[] {
  const batches: {
    program: Command['program'];
    namespace?: string;
    lines: string[];
    operations: number[];
  }[] = [];
  operations.forEach((operation, index) => {
    for (const { line, ...where } of renderOperation(operation, options)) {
      const last = batches.at(-1);
      const joins =
        last?.program === where.program &&
        last.namespace === where.namespace &&
        where.program !== 'wg' &&
        where.program !== 'wireguard-go';
      if (joins) {
        last.lines.push(line);
        last.operations.push(index);
      } else {
        batches.push({ ...where, lines: [line], operations: [index] });
      }
    }
  });
  return batches;
}
