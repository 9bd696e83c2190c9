import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { errorMessage, isRecord, isTaplineError, systemClock, TaplineError } from '@tapline/base';
import type { Reading } from '../fabric-helper.ts';
import { executeOperations } from './execute-operations.ts';
import { openSendingKeys, type SendingKeyStore } from '../keys/sending-key-store.ts';
import { changeNamespace } from './change-namespace.ts';
import { createMacsecProcess, type MacsecProcess } from '../userspace/macsec-process.ts';
import { hasKernelMacsec, probeCapabilities } from './probe-capabilities.ts';
import { readKernel } from './read-kernel.ts';
import { type RunProgram, runProgram } from './run-program.ts';
import { wireguardKeyFile } from './wireguard-key-file.ts';

export interface HelperOptions {
  readonly wireguardKeyFile: string;
  /** The node's key for agreeing on others; beside it is what it has sent with. */
  readonly agreementKeyFile: string;
  readonly run?: RunProgram;
  /** The device of MACsec for a kernel that has none; it ends with whoever has it. */
  readonly macsec?: MacsecProcess;
  /** Number of the request; two beside each other have not the same. */
  readonly serial?: number;
}

/** Characters of a request with some hundred operations. */
const longRequest = 100_000;

/**
 * Serves requests, a JSON object a line, one after the other: `{ id, kind, … }` is answered by
 * `{ id, result }` or `{ id, error: { code, message } }`. Ends with its input.
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
  const macsec = createMacsecProcess(options.run ?? runProgram);
  const withMacsec = { ...options, macsec };
  let monitors: Disposable | undefined = watch(hint);
  let serial = 0;
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    serial += 1;
    // Telling of thousands of changes costs the kernel more than making them.
    if (line.length > longRequest) {
      monitors?.[Symbol.dispose]();
      monitors = undefined;
    }
    output.write(`${JSON.stringify(await answer(line, { ...withMacsec, serial }))}\n`);
    monitors ??= watch(hint);
  }
  monitors?.[Symbol.dispose]();
  await macsec.end();

  function hint(): void {
    output.write('{"hint":true}\n');
  }
}

async function answer(line: string, options: HelperOptions): Promise<unknown> {
  let id: unknown;
  try {
    const request: unknown = JSON.parse(line);
    if (!isRecord(request)) throw refused('a request is an object');
    id = request['id'];
    return { id, result: await serveRequest(request, options) };
  } catch (error) {
    const code = isTaplineError(error) ? error.code : 'helper_failed';
    return { id, error: { code, message: errorMessage(error) } };
  }
}

export async function serveRequest(
  request: Readonly<Record<string, unknown>>,
  options: HelperOptions,
): Promise<unknown> {
  const { run = runProgram } = options;
  const keys = (): Promise<SendingKeyStore> =>
    openSendingKeys(options.agreementKeyFile, { clock: systemClock });
  switch (request['kind']) {
    case 'capabilities':
      return await probeCapabilities(run);
    case 'read':
      return await readWithMacsec(listOf(request['what']) as readonly Reading[], {
        run,
        ...options,
      });
    case 'execute': {
      const operations = listOf(request['operations']);
      // Asked only where it matters: it is a process and a namespace of its own.
      const inUserSpace = operations.some(isMacsec) && !(await hasKernelMacsec(run));
      return await executeOperations(operations, {
        wireguardKeyFile: options.wireguardKeyFile,
        serial: options.serial ?? 0,
        keys,
        run,
        macsec: inUserSpace ? options.macsec : undefined,
      });
    }
    case 'wireguard-key':
      return await wireguardKeyFile(options.wireguardKeyFile);
    case 'namespace':
      return await changeNamespace(request, run);
    case 'keys':
      return (await keys()).current;
    case 'renew-keys':
      return await (await keys()).renew();
    case 'seal-keys':
      return (await keys()).seal(listOf(request['wanted']));
    default:
      throw refused(`no request of the kind ${JSON.stringify(request['kind'])}`);
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

function isMacsec(operation: unknown): boolean {
  const kinds = /^(parent|link-guard|macsec|channel|receive|send)(-|$)/;
  return isRecord(operation) && kinds.test(String(operation['kind']));
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw refused('a list was expected');
  return value;
}

function refused(message: string): TaplineError {
  return new TaplineError('request_invalid', `request refused: ${message}`);
}
