import { errorMessage, isTaplineError } from '@tapline/base';
import type { CommandBatch, KeyReference, Operation } from '@tapline/segments';
import type { ExecutionResult } from '../fabric-helper.ts';
import type { MacsecProcess } from '../userspace/macsec-process.ts';
import type { SendingKeyStore } from '../keys/sending-key-store.ts';
import type { ElementOperation } from './element-batch.ts';
import type { ElementSocket } from './element-socket.ts';
import { isLinkOperation } from './link-messages.ts';
import { batchesOf, type PreparedOperations } from './prepare-operations.ts';
import type { RouteOperation, RouteSocket } from './route-socket.ts';
import type { ProgramResult, RunProgram } from './run-program.ts';

/**
 * One process for each batch, in their order. Rules are loaded beside what only makes devices that
 * are down; nothing comes up before both are done.
 */
export async function executeOperations(
  { operations, batches, options: prepared }: PreparedOperations,
  options: {
    readonly keys: () => Promise<SendingKeyStore>;
    readonly run: RunProgram;
    /** For few elements of sets; without it, they are nft's. */
    readonly elements?: Pick<ElementSocket, 'change'> | undefined;
    /** For links, ports' filters and entries; without it, they are `ip`'s, `tc`'s and `bridge`'s. */
    readonly routes?: Pick<RouteSocket, 'change'> | undefined;
    /** The device of MACsec, where the kernel has none. */
    readonly macsec: MacsecProcess | undefined;
  },
): Promise<ExecutionResult> {
  const found = await findKeys(operations, options.keys);
  if ('failed' in found) return found;
  const keyOf = (reference: KeyReference): string => found.get(reference) ?? '';
  const macsec = options.macsec === undefined ? 'kernel' : 'user-space';
  const programs = { runProgram: options.run, macsec: options.macsec };
  let rules: Promise<ExecutionResult> = Promise.resolve({ done: true });
  for (const batch of batches ?? batchesOf(operations, prepared, { keyOf, macsec })) {
    if (!batch.dormant) {
      const result = await rules;
      if (!result.done) return result;
    }
    if (batch.program === 'nft') {
      rules = changeElements(batch, operations, options.elements) ?? runWhole(batch, programs);
      continue;
    }
    const result = await runParts(batch, operations, { ...programs, ...options });
    if (result.done) continue;
    const before = await rules;
    return before.done ? result : before;
  }
  return await rules;
}

/** Undefined where a batch is more than some elements. */
function changeElements(
  batch: CommandBatch,
  operations: readonly Operation[],
  socket: Pick<ElementSocket, 'change'> | undefined,
): Promise<ExecutionResult> | undefined {
  if (socket === undefined) return undefined;
  const changes: ElementOperation[] = [];
  for (const index of batch.operations) {
    const operation = operations[index];
    if (operation?.kind !== 'elements-add' && operation?.kind !== 'elements-delete') return;
    changes.push(operation);
  }
  const result = socket.change(changes);
  if (result === undefined || result.done) return result && Promise.resolve(result);
  const { failed, message } = result;
  return Promise.resolve({ done: false, failed: batch.operations[failed] ?? 0, message });
}

/** What the socket takes goes to the kernel at once, and the lines between to their program. */
async function runParts(
  batch: CommandBatch,
  operations: readonly Operation[],
  how: Parameters<typeof runBatch>[1] & {
    readonly routes?: Pick<RouteSocket, 'change'> | undefined;
  },
): Promise<ExecutionResult> {
  const { routes } = how;
  if (routes === undefined || batch.namespace !== undefined || batch.apart !== undefined) {
    return await runWhole(batch, how);
  }
  const { length } = batch.operations;
  for (let from = 0; from < length;) {
    const { taken, indexes, end } = takenFrom(batch, operations, from);
    let to = end;
    if (taken.length === 0) {
      do to += 1;
      while (to < length && !isTaken(operations[batch.operations[to] ?? -1]));
    }
    const result =
      taken.length > 0
        ? await routes.change(taken, { group: batch.group })
        : await runWhole(from === 0 && to === length ? batch : partOf(batch, from, to), how);
    if (!result.done && taken.length > 0) {
      const failed = indexes[result.failed] ?? 0;
      const line = batch.shown[batch.operations.indexOf(failed)] ?? '';
      return { done: false, failed, message: `${result.message} (${line})` };
    }
    if (!result.done) return result;
    from = to;
  }
  return { done: true };
}

/** Operations in a row that the socket takes, of which some have more lines than one. */
function takenFrom(
  batch: CommandBatch,
  operations: readonly Operation[],
  from: number,
): {
  readonly taken: readonly RouteOperation[];
  readonly indexes: readonly number[];
  readonly end: number;
} {
  const taken: RouteOperation[] = [];
  const indexes: number[] = [];
  let end = from;
  for (; end < batch.operations.length; end += 1) {
    const index = batch.operations[end] ?? -1;
    if (index === indexes.at(-1)) continue;
    const operation = operations[index];
    if (!isTaken(operation)) break;
    taken.push(operation);
    indexes.push(index);
  }
  return { taken, indexes, end };
}

function isTaken(operation: Operation | undefined): operation is RouteOperation {
  switch (operation?.kind) {
    case 'fdb-add':
    case 'neighbour-add':
    case 'egress-set':
      return true;
    case 'end-place':
      return operation.end.place.kind === 'host';
    case 'link-add':
      return isLinkOperation(operation);
    default:
      return false;
  }
}

function partOf(batch: CommandBatch, from: number, to: number): CommandBatch {
  return {
    ...batch,
    lines: batch.lines.slice(from, to),
    shown: batch.shown.slice(from, to),
    operations: batch.operations.slice(from, to),
  };
}

async function runWhole(
  batch: CommandBatch,
  programs: Parameters<typeof runBatch>[1],
): Promise<ExecutionResult> {
  const result = await runBatch(batch, programs);
  if (result.code === 0) return { done: true };
  if (batch.apart !== undefined) return await runWhole(batch.apart, programs);
  const line = failedLine(batch, result);
  return {
    done: false,
    failed: batch.operations[line] ?? batch.operations[0] ?? 0,
    message: withoutKeys(`${batch.program}: ${explain(result)} (${batch.shown[line] ?? ''})`).slice(
      0,
      1000,
    ),
  };
}

async function runMacsec(
  lines: readonly string[],
  macsec: MacsecProcess | undefined,
): Promise<ProgramResult> {
  for (const [number, line] of lines.entries()) {
    try {
      await macsec?.run(line);
    } catch (error) {
      const stderr = `Command failed -:${number + 1}\n${errorMessage(error)}`;
      return { code: 1, stdout: '', stderr };
    }
  }
  return { code: 0, stdout: '', stderr: '' };
}

/** All keys before the first operation: what cannot be had changes nothing. */
async function findKeys(
  operations: readonly Operation[],
  open: () => Promise<SendingKeyStore>,
): Promise<ReadonlyMap<KeyReference, string> | Exclude<ExecutionResult, { readonly done: true }>> {
  const keys = new Map<KeyReference, string>();
  let store: SendingKeyStore | undefined;
  for (const [failed, operation] of operations.entries()) {
    if (!('key' in operation)) continue;
    try {
      store ??= await open();
      keys.set(operation.key, (await store.keyFor(operation.key)).toString('hex'));
    } catch (error) {
      if (!isTaplineError(error)) throw error;
      return { done: false, failed, message: `${error.code}: ${errorMessage(error)}` };
    }
  }
  return keys;
}

/** iproute2 says which of its arguments it could not read. */
function withoutKeys(text: string): string {
  return text.replaceAll(/(0x)?[0-9a-f]{40,}/gi, '<key>');
}

async function runBatch(
  { program, namespace, lines }: CommandBatch,
  {
    runProgram,
    macsec,
  }: { readonly runProgram: RunProgram; readonly macsec: MacsecProcess | undefined },
): Promise<ProgramResult> {
  const stdin = `${lines.join('\n')}\n`;
  switch (program) {
    case 'nft':
      return await runProgram(['nft', '-f', '-'], { stdin });
    case 'macsec':
      return await runMacsec(lines, macsec);
    case 'wg':
      return await runProgram(['wg', ...(lines[0] ?? '').split(' ')]);
    case 'wireguard-go':
      return await runProgram(['wireguard-go', lines[0] ?? ''], { detach: true });
    default: {
      const command = [program, '-batch', '-'] as const;
      return namespace === undefined
        ? await runProgram(command, { stdin })
        : await runProgram(['nsenter', `--net=${namespace}`, ...command], { stdin });
    }
  }
}

/**
 * iproute2 says `Command failed -:LINE`, nft takes all or nothing. An argument that iproute2 cannot
 * read ends it without a line: then it is the first one with that argument.
 */
function failedLine({ program, lines }: CommandBatch, { stderr }: ProgramResult): number {
  const pattern = program === 'nft' ? /^[^\n:]*:([0-9]+):/m : /Command failed [^:\n]*:([0-9]+)/;
  const number = pattern.exec(stderr)?.[1];
  if (number !== undefined) return Math.min(Math.max(Number(number) - 1, 0), lines.length - 1);
  const argument = /argument "([^"\n]+)" is wrong/.exec(stderr)?.[1];
  if (argument === undefined) return 0;
  return Math.max(
    lines.findIndex((line) => line.split(' ').includes(argument)),
    0,
  );
}

function explain({ stderr, code }: ProgramResult): string {
  // wireguard-go draws a box around its advice before it says what is wrong.
  const text = stderr.split('\n').find((line) => /^[^\s┌│└]/.test(line));
  return text ?? (code === 127 ? 'there is no such program' : `exit code ${code}`);
}
