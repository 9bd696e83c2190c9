import { systemRng, TaplineError } from '@tapline/base';
import { deviceResource } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { forwardTarget } from '../connection/forward-target.ts';
import { parseForwardSpec } from '../connection/forward-spec.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag } from '../framework/flag.ts';
import { formatError } from '../framework/format-error.ts';

export const forward: Command = defineCommand({
  summary: 'Reach a port of a device from here, or have its programs reach one of here',
  description:
    'Goes until Ctrl-C, through the device’s tunnel, so nothing listens to the network: both ends are loopback interfaces. Connections bear a change of networks at either end. The device lets in only what its agent was started with: --allow-forward, --allow-reverse. Who uses it needs the role forwarder or admin.',
  examples: [
    {
      command: 'tapline forward edge-1 8080:80',
      explains: 'http://127.0.0.1:8080 is port 80 of edge-1',
    },
    { command: 'tapline forward edge-1 5432 9000:9090', explains: 'two ports of it' },
    { command: 'tapline forward edge-1 0:22 --interactive', explains: 'a free port here, for ssh' },
    {
      command: 'tapline forward edge-1 9000:3000 --reverse',
      explains: 'as ssh -R: port 9000 of edge-1 is port 3000 of this machine',
    },
  ],
  positionals: [
    { name: 'DEVICE', description: 'which device', required: true, complete: 'devices' },
    {
      name: 'LISTEN:TO',
      description: 'ports: where it is listened, and what connections reach; one for both',
      required: true,
      variadic: true,
    },
  ],
  flags: {
    reverse: booleanFlag('Listen at the device, and connect to ports of this machine', {
      short: 'R',
    }),
    interactive: booleanFlag('Goes before downloads in the same tunnel, as for a terminal'),
    ...connectionFlags,
  },
  async run({ console, positionals: [device = '', ...specs], flags }) {
    const { context } = await connect(flags, console);
    const { openForward } = await import('@tapline/gateway');
    const reverse = flags.reverse;
    const pairs = specs.map(parseForwardSpec).map(({ listen, to }) => {
      if (reverse && listen === 0) {
        throw new TaplineError('usage', 'the device cannot choose a port: 0 is for this machine');
      }
      return reverse ? { here: to, device: listen } : { here: listen, device: to };
    });
    const problem = (error: unknown, about: string): void => {
      const text = formatError(error, { json: false, verbose: false });
      console.note(text.replace('tapline: ', `tapline: ${about}: `));
    };
    await using opened = openForward({
      ...forwardTarget(context, `/apis/tapline.dev/v1alpha1/${deviceResource.plural}/${device}`),
      direction: reverse ? 'listen' : 'connect',
      pairs,
      streamClass: flags.interactive ? 'interactive' : 'bulk',
      onListening(pair) {
        const there = `${device} port ${pair.device}`;
        const here = `127.0.0.1:${pair.here}`;
        console.write(reverse ? `${there} -> ${here}\n` : `${here} -> ${there}\n`);
      },
      onProblem(pair, error) {
        problem(error, pair === undefined ? 'no way now' : `${device} port ${pair.device}`);
      },
      clock: console.clock,
      rng: systemRng,
    });
    const stopped = Promise.withResolvers<number>();
    console.signal.addEventListener('abort', () => stopped.resolve(exitCode.ok), { once: true });
    if (console.signal.aborted) return exitCode.ok;
    return await Promise.race([stopped.promise, opened.failed]);
  },
});
