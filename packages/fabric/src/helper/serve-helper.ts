import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { errorMessage, isTaplineError, systemClock } from '@tapline/base';
import { isMacsecOperation } from '@tapline/segments';
import type { ExecutionResult, Reading } from '../fabric-helper.ts';
import { ElementSocket } from './element-socket.ts';
import { RouteSocket } from './route-socket.ts';
import { executeOperations } from './execute-operations.ts';
import { openSendingKeys, type SendingKeyStore } from '../keys/sending-key-store.ts';
import { changeNamespace } from './change-namespace.ts';
import { createMacsecProcess, type MacsecProcess } from '../userspace/macsec-process.ts';
import type { PreparedOperations } from './prepare-operations.ts';
import { hasKernelMacsec, probeCapabilities } from './probe-capabilities.ts';
import {
  type HelperRequest,
  listOf,
  prepare,
  readRequest,
  requestRefused,
} from './read-request.ts';
import { readKernel } from './read-kernel.ts';
import { type RunProgram, runProgram } from './run-program.ts';
import { SparePrograms } from './spare-programs.ts';
import { wireguardKeyFile } from './wireguard-key-file.ts';

export interface HelperOptions {
  readonly wireguardKeyFile: string;
  /** The node's key for agreeing on others; beside it is what it has sent with. */
  readonly agreementKeyFile: string;
  readonly run?: RunProgram;
  /** Without it, every element is nft's. */
  readonly elements?: ElementSocket | undefined;
  /** Without it, every link, entry and filter is `ip`'s, `bridge`'s or `tc`'s. */
  readonly routes?: RouteSocket | undefined;
  /** The device of MACsec for a kernel that has none; it ends with whoever has it. */
  readonly macsec?: MacsecProcess;
  /** Number of the request; two beside each other have not the same. */
  readonly serial?: number;
}

/** What looks is started anew when nobody has asked for so long: a look is what a change ends with. */
const restMs = 200;
/** Characters of a request with some hundred operations. */
const longRequest = 100_000;

/**
 * Serves requests, a JSON object a line, one after the other: `{ id, kind, … }` is answered by
 * `{ id, result }` or `{ id, error: { code, message } }`. The next is read and checked meanwhile.
 * Ends with its input.
 */
export async function serveHelper(
  {
    input,
    output,
    watch,
  }: {
    readonly input: Readable;
    readonly output: Writable;
    /** Calls when something happens in the kernel, until it is disposed. */
    readonly watch: (onEvent: () => void) => Disposable;
  },
  options: HelperOptions,
): Promise<void> {
  using spares = new SparePrograms();
  using elements = options.run === undefined ? ElementSocket.open() : undefined;
  using routes = options.run === undefined ? RouteSocket.open() : undefined;
  const run = options.run ?? spares.run;
  const macsec = createMacsecProcess(run);
  let monitors: Disposable | undefined = watch(hint);
  let serial = 0;
  let waiting = 0;
  let rest: NodeJS.Timeout | undefined;
  /** Whether the last operations were carried out; not known of another process's. */
  let done = false;
  let queue = Promise.resolve();
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    serial += 1;
    waiting += 1;
    const own = { ...options, run, elements, routes, macsec, serial };
    const request = readRequest(line, own);
    const isLong = line.length > longRequest;
    queue = queue.then(async () => await serve(request, own, isLong));
  }
  await queue;
  clearTimeout(rest);
  monitors?.[Symbol.dispose]();
  await macsec.end();

  async function serve(request: HelperRequest, own: HelperOptions, isLong: boolean): Promise<void> {
    // Telling of thousands of changes costs the kernel more than making them.
    if (isLong) {
      monitors?.[Symbol.dispose]();
      monitors = undefined;
    }
    output.write(`${JSON.stringify(await answer(request, own))}\n`);
    waiting -= 1;
    if (waiting > 0) return;
    monitors ??= watch(hint);
    startSpares('changes');
    clearTimeout(rest);
    rest = setTimeout(startSpares, restMs, 'all').unref();
  }

  /** One at a time: a request that comes meanwhile does not wait for all of them. */
  function startSpares(of: 'changes' | 'all'): void {
    if (waiting === 0 && spares.startOne(of)) setImmediate(startSpares, of);
  }

  async function answer(
    { id, fields, prepared, error }: HelperRequest,
    own: HelperOptions,
  ): Promise<unknown> {
    try {
      if (error !== undefined) {
        done &&= fields['kind'] !== 'execute';
        throw error;
      }
      if (prepared === undefined) return { id, result: await serveOther(fields, own) };
      if (fields['follows'] === true && !done) {
        const message = 'what comes before it was not carried out';
        return { id, result: { done: false, failed: 0, message } };
      }
      done = false;
      const result = await carryOut(prepared, own);
      ({ done } = result);
      return { id, result };
    } catch (failure) {
      const code = isTaplineError(failure) ? failure.code : 'helper_failed';
      return { id, error: { code, message: errorMessage(failure) } };
    }
  }

  function hint(): void {
    output.write('{"hint":true}\n');
  }
}

/** One request by itself. */
export async function serveRequest(
  request: Readonly<Record<string, unknown>>,
  options: HelperOptions,
): Promise<unknown> {
  const { prepared } = prepare(request, options);
  return prepared === undefined
    ? await serveOther(request, options)
    : await carryOut(prepared, options);
}

async function carryOut(
  prepared: PreparedOperations,
  options: HelperOptions,
): Promise<ExecutionResult> {
  const { run = runProgram, macsec } = options;
  // Asked only where it matters: it is a process and a namespace of its own.
  const inUserSpace = prepared.operations.some(isMacsecOperation) && !(await hasKernelMacsec(run));
  return await executeOperations(prepared, {
    keys: () => keysOf(options),
    run,
    elements: options.elements,
    routes: options.routes,
    macsec: inUserSpace ? macsec : undefined,
  });
}

async function keysOf({ agreementKeyFile }: HelperOptions): Promise<SendingKeyStore> {
  return await openSendingKeys(agreementKeyFile, { clock: systemClock });
}

async function serveOther(
  request: Readonly<Record<string, unknown>>,
  options: HelperOptions,
): Promise<unknown> {
  const { run = runProgram } = options;
  switch (request['kind']) {
    case 'capabilities':
      return await probeCapabilities(run);
    case 'read':
      return await readWithMacsec(listOf(request['what']) as readonly Reading[], {
        run,
        ...options,
      });
    case 'wireguard-key':
      return await wireguardKeyFile(options.wireguardKeyFile);
    case 'namespace':
      return await changeNamespace(request, run);
    case 'keys':
      return (await keysOf(options)).current;
    case 'renew-keys':
      return await (await keysOf(options)).renew();
    case 'seal-keys':
      return (await keysOf(options)).seal(listOf(request['wanted']));
    default:
      throw requestRefused(`no request of the kind ${JSON.stringify(request['kind'])}`);
  }
}

/** The device in user space is no kernel's to show. */
async function readWithMacsec(
  what: readonly Reading[],
  { run, macsec }: { readonly run: RunProgram; readonly macsec?: MacsecProcess },
): Promise<Readonly<Partial<Record<Reading, string>>>> {
  const found = await readKernel(what, run);
  const asked = (['macsec', 'macsecCounters'] as const).filter((one) => what.includes(one));
  const shown = asked.length === 0 ? undefined : await macsec?.show();
  if (shown === undefined || shown === '[]') return found;
  return { ...found, ...Object.fromEntries(asked.map((one) => [one, shown])) };
}
