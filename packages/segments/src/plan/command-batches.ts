import type { Command } from './command.ts';
import type { Operation } from './operation.ts';
import { renderOperation, type RenderOptions } from './render-operation.ts';

/** Lines that one process takes. */
export interface CommandBatch extends Omit<Command, 'line' | 'shown'> {
  readonly lines: readonly string[];
  /** The same for people: no secret is in them. */
  readonly shown: readonly string[];
  /** For each line, the index of the operation that it is of. */
  readonly operations: readonly number[];
}

/** In the operations' order, with as few processes as it takes. */
export function commandBatches(
  operations: readonly Operation[],
  options: RenderOptions,
): readonly CommandBatch[] {
  const batches: {
    program: Command['program'];
    namespace?: string;
    lines: string[];
    shown: string[];
    operations: number[];
  }[] = [];
  operations.forEach((operation, index) => {
    for (const { line, shown = line, ...where } of renderOperation(operation, options)) {
      const last = batches.at(-1);
      const joins =
        last?.program === where.program &&
        last.namespace === where.namespace &&
        where.program !== 'wg' &&
        where.program !== 'wireguard-go';
      if (joins) {
        last.lines.push(line);
        last.shown.push(shown);
        last.operations.push(index);
      } else {
        batches.push({ ...where, lines: [line], shown: [shown], operations: [index] });
      }
    }
  });
  return batches;
}
