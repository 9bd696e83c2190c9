import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { requestPath } from '../connection/request-path.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, integerFlag, textFlag } from '../framework/flag.ts';
import { resolveInstall } from '../connection/resolve-install.ts';

export const logs: Command = defineCommand({
  summary: 'Show what an installed program printed on its device',
  examples: [
    { command: 'tapline logs ipad-1.jq', explains: 'of jq on ipad-1' },
    {
      command: 'tapline logs bash --on edge-2 -f --tail 20',
      explains: 'the last lines of bash on edge-2, and follow',
    },
  ],
  positionals: [
    {
      name: 'INSTALL',
      description: 'DEVICE.FORMULA, or a formula with --on',
      required: true,
      complete: 'installs',
    },
  ],
  flags: {
    on: textFlag('Which device', { valueName: 'DEVICE' }),
    follow: booleanFlag('Go on as more is printed', { short: 'f' }),
    tail: integerFlag('How many lines from the end; 0 is all', {
      min: 0,
      max: 1_000_000,
      default: 0,
    }),
    ...connectionFlags,
  },
  async run({ console, positionals: [text = ''], flags }) {
    const { client, context } = await connect(flags, console);
    const install = await resolveInstall(client, { text, device: flags.on });
    const query = new URLSearchParams({
      follow: String(flags.follow),
      ...(flags.tail === 0 ? {} : { tailLines: String(flags.tail) }),
    });
    const path = `/apis/tapline.dev/v1alpha1/installs/${install}/log?${query.toString()}`;
    try {
      const response = await requestPath(context, path, console);
      for await (const chunk of response) console.write(chunk as Buffer);
    } catch (error) {
      if (console.signal.aborted) return exitCode.ok;
      throw error;
    }
    return exitCode.ok;
  },
});
