import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { isRecord, TaplineError } from '@tapline/base';
import type { FabricHelper, HintReason, Reading } from './fabric-helper.ts';
import type { StartedHelper } from './keep-helper.ts';

export interface StartHelperOptions {
  /**
   * The command line that runs the helper as root, such as `sudo -n …`; by default this Node with
   * the helper's own file.
   */
  readonly command?: readonly [string, ...string[]];
  /** Put before the command: `ip netns exec n1` in tests. */
  readonly prefix?: readonly string[];
  /** One that runs already, as root, and listens there: no process is started, and keys are its own. */
  readonly socket?: string;
  readonly wireguardKeyFile?: string;
  readonly agreementKeyFile?: string;
}

/** Where requests go and answers come from. */
interface HelperStreams {
  readonly pid: number;
  readonly requests: Writable;
  readonly answers: Readable;
  readonly onEnd: (listener: (why: string) => void) => void;
}

/** Where the helper's program is, for who starts it otherwise. */
export const helperProgram: string = fileURLToPath(
  new URL(
    // In a bundle, both are files beside each other.
    import.meta.url.endsWith('.ts') ? 'helper/main.ts' : 'fabric-helper.js',
    import.meta.url,
  ),
);

/** Starts the privileged process, or finds it at its socket, and speaks with it a line at a time. */
export function startHelper(options: StartHelperOptions = {}): StartedHelper {
  const { pid, requests, answers, onEnd } =
    options.socket === undefined ? spawnHelper(options) : findHelper(options.socket);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const listeners: ((why: HintReason) => void)[] = [];
  let next = 0;
  let ended: TaplineError | undefined;
  const gone = Promise.withResolvers<void>();

  function end(why: string): void {
    ended ??= new TaplineError('helper_gone', `the fabric's helper is gone: ${why}`);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
    gone.resolve();
  }
  onEnd(end);
  const lines = createInterface({ input: answers, crlfDelay: Infinity });
  // A socket's errors are told here, too; its end says why.
  lines.on('error', () => {});
  lines.on('line', (line) => {
    const message: unknown = JSON.parse(line);
    if (!isRecord(message)) return;
    if (message['hint'] === true) {
      for (const listener of listeners) listener('event');
      return;
    }
    const id = Number(message['id']);
    const request = waiting.get(id);
    waiting.delete(id);
    const error = message['error'];
    if (isRecord(error)) {
      request?.reject(new TaplineError(String(error['code']), String(error['message'])));
    } else {
      request?.resolve(message['result']);
    }
  });

  async function ask(
    kind: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): Promise<unknown> {
    if (ended !== undefined) throw ended;
    const id = next++;
    const request = Promise.withResolvers<unknown>();
    waiting.set(id, request);
    requests.write(`${JSON.stringify({ id, kind, ...fields })}\n`);
    return await request.promise;
  }

  return {
    pid,
    gone: gone.promise,
    capabilities: async () =>
      (await ask('capabilities')) as Awaited<ReturnType<FabricHelper['capabilities']>>,
    read: async (what: readonly Reading[]) =>
      (await ask('read', { what })) as Awaited<ReturnType<FabricHelper['read']>>,
    execute: async (operations, how) =>
      (await ask('execute', { operations, ...how })) as Awaited<
        ReturnType<FabricHelper['execute']>
      >,
    wireguardKey: async () =>
      (await ask('wireguard-key')) as Awaited<ReturnType<FabricHelper['wireguardKey']>>,
    namespace: async (verb, name) => String(await ask('namespace', { verb, name })),
    keys: async () => (await ask('keys')) as Awaited<ReturnType<FabricHelper['keys']>>,
    renewKeys: async () =>
      (await ask('renew-keys')) as Awaited<ReturnType<FabricHelper['renewKeys']>>,
    sealKeys: async (wanted) =>
      (await ask('seal-keys', { wanted })) as Awaited<ReturnType<FabricHelper['sealKeys']>>,
    onHint(listener) {
      listeners.push(listener);
    },
    async [Symbol.asyncDispose]() {
      requests.end();
      await gone.promise;
    },
  };
}

function spawnHelper(options: StartHelperOptions): HelperStreams {
  const [program = '', ...args] = [
    ...(options.prefix ?? []),
    ...(options.command ?? [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      helperProgram,
    ]),
    ...(options.wireguardKeyFile === undefined
      ? []
      : ['--wireguard-key', options.wireguardKeyFile]),
    ...(options.agreementKeyFile === undefined
      ? []
      : ['--agreement-key', options.agreementKeyFile]),
  ];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => {});
  return {
    pid: child.pid ?? 0,
    requests: child.stdin,
    answers: child.stdout,
    onEnd(listener) {
      child.once('error', (error) => listener(error.message));
      child.once('close', (code, signal) => listener(signal ?? `exit code ${code}`));
    },
  };
}

function findHelper(path: string): HelperStreams {
  const socket = connect(path);
  let why = `${path} was closed`;
  socket.on('error', (error) => (why = error.message));
  return {
    pid: 0,
    requests: socket,
    answers: socket,
    onEnd: (listener) => void socket.once('close', () => listener(why)),
  };
}
