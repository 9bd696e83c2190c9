import { once } from 'node:events';
import { TaplineError } from '@tapline/base';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { mayDo } from '../connection/who-am-i.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { parsePrometheus, prometheusFlag } from '../ops/ask-prometheus.ts';

export const mcp: Command = defineCommand({
  summary: 'Serve OpsBot to an assistant over MCP, on standard input and output',
  description:
    'Its tools look, plan and ask; no tool approves, and what is asked for waits for a person. It does not start with credentials that could do more, as the administrator’s: `tapline token create --user assistant --group tapline:tool --ttl 90d` makes a token for a kubeconfig of its own.',
  examples: [
    {
      command: 'tapline mcp --kubeconfig assistant.kubeconfig',
      explains: 'what an assistant is to start',
    },
  ],
  positionals: [],
  flags: { prometheus: prometheusFlag, ...connectionFlags },
  async run({ console, flags }) {
    const prometheus =
      flags.prometheus === undefined ? undefined : parsePrometheus(flags.prometheus);
    const { client, context } = await connect(flags, console);
    const { clock, signal } = console;
    const tooMuch = [
      { verb: 'create', resource: 'remediations', subresource: 'approve' },
      { verb: 'update', resource: 'nodes' },
      { verb: 'patch', resource: 'opspolicies' },
    ];
    for (const asked of tooMuch) {
      if (!(await mayDo(context, asked, { signal }))) continue;
      const what = `${asked.resource}${asked.subresource === undefined ? '' : `/${asked.subresource}`}`;
      throw new TaplineError(
        'forbidden',
        `these credentials may ${asked.verb} ${what}, which no assistant may`,
        {
          hint: 'make a token with tapline token create --user assistant --group tapline:tool',
        },
      );
    }
    const [{ createOpsServer }, { serveStdio }] = await Promise.all([
      import('../mcp/create-ops-server.ts'),
      import('@modelcontextprotocol/server/stdio'),
    ]);
    const served = serveStdio(
      () => createOpsServer({ client, context, prometheus, clock, signal }),
      {
        onerror: (error) => console.note(`mcp: ${error.message}\n`),
      },
    );
    await Promise.race([
      once(console.stdin, 'end'),
      ...(signal.aborted ? [] : [once(signal, 'abort')]),
    ]);
    await served.close();
    return exitCode.ok;
  },
});
