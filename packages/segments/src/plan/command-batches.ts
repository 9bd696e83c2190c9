import type { Command } from './command.ts';
import { dormantOperations } from './dormant-operations.ts';
import type { Operation } from './operation.ts';
import { addLink } from './render-link.ts';
import { renderOperation, type RenderOptions } from './render-operation.ts';

/** Lines that one process takes. */
export interface CommandBatch extends Omit<Command, 'line' | 'shown'> {
  readonly lines: readonly string[];
  /** The same for people: no secret is in them. */
  readonly shown: readonly string[];
  /** For each line, the index of the operation that it is of. */
  readonly operations: readonly number[];
  /**
   * All of it is about devices that are new and down, which pass nothing: it may be carried out
   * beside rules that come before it.
   */
  readonly dormant: boolean;
  /** Of devices that lines of it add, and that are brought up together. */
  readonly group?: number;
  /** Where a line is of many operations: what says which of them failed. */
  readonly apart?: CommandBatch;
}

export interface BatchOptions extends RenderOptions {
  /**
   * Number of a group (`ip link set group`) that no other device is in: new devices are brought up
   * by one line instead of one for each.
   */
  readonly group?: number;
}

/** Fewer are brought up one by one. */
const fewUps = 20;

/** In the operations' order, with as few processes as it takes. */
export function commandBatches(
  operations: readonly Operation[],
  options: BatchOptions,
): readonly CommandBatch[] {
  const dormant = dormantOperations(operations);
  const ups = options.group === undefined ? undefined : groupedUps(operations);
  const batches: Draft[] = [];
  operations.forEach((operation, index) => {
    if (ups?.has(index) === true) {
      if (ups.first === index) batches.push(upBatch(operations, ups, options));
      return;
    }
    const grouped =
      operation.kind === 'link-add' && ups?.names.has(operation.link.name) === true
        ? options.group
        : undefined;
    const commands =
      operation.kind === 'link-add'
        ? addLink(operation, grouped)
        : renderOperation(operation, options);
    const group = operation.kind === 'link-add' && grouped !== undefined ? { group: grouped } : {};
    for (const { line, shown = line, ...where } of commands) {
      const last = batches.at(-1);
      if (last !== undefined && joins(last, { ...where, ...group, dormant: dormant.has(index) })) {
        last.lines.push(line);
        last.shown.push(shown);
        last.operations.push(index);
      } else {
        const entry = {
          lines: [line],
          shown: [shown],
          operations: [index],
          dormant: dormant.has(index),
        };
        batches.push({ ...where, ...group, ...entry });
      }
    }
  });
  return batches;
}

type Draft = Omit<CommandBatch, 'lines' | 'shown' | 'operations'> & {
  readonly lines: string[];
  readonly shown: string[];
  readonly operations: number[];
};

function joins(
  last: Draft,
  next: Omit<Command, 'line' | 'shown'> & { readonly dormant: boolean; readonly group?: number },
): boolean {
  return (
    last.apart === undefined &&
    last.program === next.program &&
    last.namespace === next.namespace &&
    last.dormant === next.dormant &&
    last.group === next.group &&
    next.program !== 'wg' &&
    next.program !== 'wireguard-go'
  );
}

class GroupedUps {
  readonly names: ReadonlySet<string>;
  readonly first: number;
  readonly last: number;

  constructor(names: ReadonlySet<string>, [first, last]: readonly [number, number]) {
    this.names = names;
    this.first = first;
    this.last = last;
  }

  has(index: number): boolean {
    return index >= this.first && index <= this.last;
  }
}

/** The operations that bring up devices of the same plan, where they are many and in one row. */
function groupedUps(operations: readonly Operation[]): GroupedUps | undefined {
  const added = new Set(
    operations.flatMap((operation) => {
      if (operation.kind !== 'link-add') return [];
      const { name, kind } = operation.link;
      return kind === 'tun' || kind === 'wireguard' ? [] : [name];
    }),
  );
  const isOne = (operation: Operation): boolean =>
    operation.kind === 'link-up' && added.has(operation.name);
  const last = operations.findLastIndex(isOne);
  let first = last;
  while (first > 0) {
    const before = operations[first - 1];
    if (before === undefined || !isOne(before)) break;
    first -= 1;
  }
  if (last < 0 || last - first < fewUps) return undefined;
  const names = operations
    .slice(first, last + 1)
    .flatMap((operation) => (operation.kind === 'link-up' ? [operation.name] : []));
  return new GroupedUps(new Set(names), [first, last]);
}

function upBatch(
  operations: readonly Operation[],
  { first, last }: GroupedUps,
  { group }: BatchOptions,
): Draft {
  const alone = operations
    .slice(first, last + 1)
    .flatMap((operation, index) =>
      operation.kind === 'link-up'
        ? [{ line: `link set dev ${operation.name} up`, index: first + index }]
        : [],
    );
  // None of ours has an address of its own accord.
  const lines = [`link set group ${group} addrgenmode none`, `link set group ${group} up`];
  const each = alone.map(({ line }) => line);
  return {
    program: 'ip',
    lines,
    shown: lines,
    operations: [first, first],
    dormant: false,
    apart: {
      program: 'ip',
      lines: each,
      shown: each,
      operations: alone.map(({ index }) => index),
      dormant: false,
    },
  };
}
