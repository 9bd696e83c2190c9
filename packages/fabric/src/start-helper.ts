import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
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
  readonly wireguardKeyFile?: string;
  readonly agreementKeyFile?: string;
}

/** Where the helper's program is, for who starts it otherwise. */
export const helperProgram: string = fileURLToPath(
  new URL(
    // In a bundle, both are files beside each other.
    import.meta.url.endsWith('.ts') ? 'helper/main.ts' : 'fabric-helper.js',
    import.meta.url,
  ),
);

/** Starts the privileged process and speaks with it over its standard streams. */
export function startHelper(options: StartHelperOptions = {}): StartedHelper {
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
  child.once('error', (error) => end(error.message));
  child.once('close', (code, signal) => end(signal ?? `exit code ${code}`));
  child.stdin.on('error', () => {});
  createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => {
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
    child.stdin.write(`${JSON.stringify({ id, kind, ...fields })}\n`);
    return await request.promise;
  }

  return {
    pid: child.pid ?? 0,
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
      child.stdin.end();
      await gone.promise;
    },
  };
}
