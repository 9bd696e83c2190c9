import { setFlagsFromString } from 'node:v8';
import { createSecureRng } from '@tapline/base';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, integerFlag, textFlag, textFlagWithDefault } from '../framework/flag.ts';

const megabyte = 1024 * 1024;

export const runWasm: Command = defineCommand({
  summary: 'Run an arm64 Linux program of an image or a folder, translated to WebAssembly',
  description:
    'No kernel and no emulator is needed, and nothing of this machine is reached: files that the program writes are in memory and gone afterwards. Terminal, pipes, exit code and Ctrl-C are the program’s.',
  examples: [
    {
      command: 'tapline run-wasm jq:1.8.1 -- jq -n 6*7',
      explains: 'an image of the control plane’s registry',
    },
    {
      command: 'tapline run-wasm ./jq -- jq -n 6*7',
      explains: 'an image that `tapline brew2oci jq --output ./jq` wrote',
    },
    { command: 'tapline run-wasm ./debian-arm64 -- bash', explains: 'a folder as its root' },
  ],
  positionals: [
    {
      name: 'IMAGE|DIR',
      description:
        'REPOSITORY:TAG, oci://REGISTRY/REPOSITORY:TAG, or a folder: an OCI image layout, or a root',
      required: true,
    },
  ],
  flags: {
    memory: integerFlag('MiB that all its processes may use together', {
      valueName: 'MIB',
      default: 1024,
      min: 16,
      max: 3968,
    }),
    network: booleanFlag('Let it open TCP connections and look up names'),
    codeCache: textFlag('Where translated code is kept, so that the next start is quicker', {
      valueName: 'DIR',
      environment: 'TAPLINE_CODE_CACHE',
    }),
    workdir: textFlagWithDefault('Where it starts', { valueName: 'DIR', default: '' }),
    ...connectionFlags,
  },
  passesThrough: 'COMMAND ARGUMENT...',
  async run({ console, positionals: [text = ''], flags, passedThrough }) {
    // The young generation stays as small as it is: it would take tens of megabytes, beside the guest's.
    setFlagsFromString('--semi-space-growth-factor=1');
    const { planCommand, runProgram } = await import('@tapline/userland');
    const { nodeNetwork, openKeptCode } = await import('@tapline/runtimes');
    const { openGuestImage } = await import('../wasm/guest-image.ts');
    const { openNodeTerminal } = await import('../wasm/node-terminal.ts');
    const { files, config } = await openGuestImage(text, { console, flags });
    const onTerminal = console.isTerminal && console.stdin.isTTY === true;
    const command = planCommand({
      files,
      config,
      argv: passedThrough,
      env: onTerminal ? [`TERM=${console.environment['TERM'] ?? 'xterm'}`] : [],
      folder: flags.workdir,
    });
    const kept =
      flags.codeCache === undefined
        ? undefined
        : await openKeptCode(flags.codeCache, { files, path: command.path });
    using terminal = onTerminal ? openNodeTerminal(process.stdin, process.stdout) : undefined;
    const memoryLimit = flags.memory * megabyte;
    const { exitCode: code, refused } = await runProgram({
      files,
      ...command,
      ...(terminal === undefined
        ? {
            stdin: console.stdin.iterator({ destroyOnReturn: false }),
            stdout: (bytes: Uint8Array) => console.write(bytes),
            stderr: (bytes: Uint8Array) => console.note(bytes),
          }
        : { terminal }),
      clock: console.clock,
      rng: createSecureRng(),
      memoryLimit,
      hotAfter: 8000,
      ...(kept !== undefined && { codeCache: kept.cache }),
      fuel: Infinity,
      ...(flags.network && { network: nodeNetwork }),
      signal: console.signal,
    }).catch((error: unknown) => {
      if (console.signal.aborted) {
        return { exitCode: exitCode.interrupted, refused: { memory: 0, storage: 0 } };
      }
      throw error;
    });
    if (code !== 0 && refused.memory > 0) {
      console.note(`the program asked for more than ${flags.memory} MiB; see --memory\n`);
    }
    await kept?.keep();
    if (terminal === undefined) console.stdin.destroy();
    return code;
  },
});
