import { once } from 'node:events';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { integerFlag } from '../framework/flag.ts';

export const opsConsole: Command = defineCommand({
  summary: 'Serve a page in which you see what OpsBot does, and decide what waits for a person',
  description:
    'It listens on this machine alone, and answers only who has the secret that is in the address it prints. What is read and decided there is read and decided by you, the user of the kubeconfig, and the audit log says so. It can do nothing but what the page needs: read incidents, remediations, playbooks and the policy, approve or refuse, and pause.',
  examples: [
    { command: 'tapline ops console', explains: 'open the address it prints' },
    {
      command: 'tapline ops console --port 8090',
      explains: 'on a port that is known before, as for ssh -L 8090:127.0.0.1:8090',
    },
  ],
  positionals: [],
  flags: {
    port: integerFlag('Where it listens on 127.0.0.1; 0 takes a free one', {
      valueName: 'PORT',
      default: 0,
      min: 0,
      max: 65_535,
    }),
    ...connectionFlags,
  },
  async run({ console, flags }) {
    const { consolePageFolder } = await import('../wasm/page-folder.ts');
    const { startConsoleServer } = await import('../ops/console/start-console-server.ts');
    const { randomBytes } = await import('node:crypto');
    const page = consolePageFolder();
    const connection = await connect(flags, console);
    await using opened = new AsyncDisposableStack();
    opened.use(connection.client);
    const { url } = opened.use(
      await startConsoleServer({
        port: flags.port,
        secret: randomBytes(32).toString('base64url'),
        page,
        connection,
        clock: console.clock,
        onError: (message) => console.note(`${message}\n`),
      }),
    );
    console.write(`${url}\n`);
    console.note('Open this address in a browser; it is for you alone. Ctrl-C ends it.\n');
    if (!console.signal.aborted) await once(console.signal, 'abort');
    return exitCode.ok;
  },
});
