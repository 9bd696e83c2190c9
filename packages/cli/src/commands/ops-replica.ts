import { once } from 'node:events';
import { createJsonLog, systemRng } from '@tapline/base';
import { hostname } from 'node:os';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { becomeLean, smallFlags } from '../device/become-lean.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { textFlagWithDefault } from '../framework/flag.ts';

export const opsReplica: Command = defineCommand({
  summary: 'Run a replica of OpsBot that acts when no other does',
  description:
    'It hears conditions and the clock, leads while it holds a lease, and takes over within seconds; what a leader of before still had under way is refused. The control plane has to run with TAPLINE_OPSBOT=shared, or off. It reaches no device, so steps that run commands on one are refused. `tapline token create --user opsbot --group tapline:opsbot --ttl 90d` makes its token.',
  examples: [
    {
      command: 'tapline ops replica --kubeconfig opsbot.kubeconfig',
      explains: 'on each of two machines',
    },
  ],
  positionals: [],
  flags: {
    logLevel: textFlagWithDefault('How much it logs, on standard error', {
      choices: ['debug', 'info', 'warn', 'error'],
      default: 'info',
    }),
    ...connectionFlags,
  },
  async run({ console, flags }) {
    const words = ['ops', 'replica', '--log-level', flags.logLevel];
    const { kubeconfig, context } = flags;
    becomeLean(
      [
        ...words,
        ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig]),
        ...(context === undefined ? [] : ['--context', context]),
      ],
      smallFlags,
    );
    const { createOpsInformers, startOpsBot } = await import('@tapline/opsbot');
    const { client } = await connect(flags, console);
    const { clock } = console;
    const log = createJsonLog({
      clock,
      write: (line) => console.note(line),
      level: flags.logLevel as 'debug' | 'info' | 'warn' | 'error',
    });
    await using informers = createOpsInformers(client, { clock, rng: systemRng, log });
    await informers.synced;
    const identity = `${hostname()}-${process.pid}`;
    await using bot = startOpsBot({
      client,
      informers,
      identity,
      shared: true,
      clock,
      rng: systemRng,
      log,
    });
    console.write(`replica ${identity} runs\n`);
    if (!console.signal.aborted) await once(console.signal, 'abort');
    log.info('replica stops', { epoch: bot.epoch });
    return exitCode.ok;
  },
});
