import { errorMessage, isTaplineError } from '@tapline/base';
import { deviceResource } from '@tapline/resources';
import { judgeTunnel } from '../check/judge-tunnel.ts';
import { printCheck } from '../check/print-check.ts';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { readText, requestPath } from '../connection/request-path.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { durationFlag } from '../framework/flag.ts';

export const checkTunnel: Command = defineCommand({
  summary: 'For Icinga: whether a device answers through its tunnel, and how soon',
  description:
    'A plugin: one line, and 0 for OK, 1 for warning, 2 for critical, 3 for unknown. The device itself is asked, so its whole way is proven.',
  examples: [{ command: 'tapline check tunnel ipad-7', explains: 'one device' }],
  positionals: [{ name: 'DEVICE', description: 'its name', required: true, complete: 'devices' }],
  plugin: true,
  flags: {
    warning: durationFlag('Warn where the answer takes longer', { default: '1s' }),
    critical: durationFlag('Critical where it takes longer', { default: '5s' }),
    ...connectionFlags,
  },
  async run({ console, positionals: [name = ''], flags }) {
    const { signal } = console;
    const { client, context } = await connect(flags, console);
    const device = await client.get(deviceResource, name, { signal });
    const limits = { warning: flags.warning / 1000, critical: flags.critical / 1000 };
    return await printCheck(console, judgeTunnel(device, await ask(), limits));

    async function ask(): Promise<Parameters<typeof judgeTunnel>[1]> {
      const path = `/apis/tapline.dev/v1alpha1/devices/${encodeURIComponent(name)}/ping`;
      try {
        const text = await readText(await requestPath(context, path, { signal }));
        const { roundTripMs } = JSON.parse(text) as { readonly roundTripMs: number };
        return { roundTripSeconds: roundTripMs / 1000 };
      } catch (error) {
        // Whoever may not ask, or cannot reach the control plane, knows nothing of the device.
        const aboutDevice = ['device_offline', 'stream_timeout', 'too_many_streams'];
        if (!aboutDevice.some((code) => isTaplineError(error, code))) throw error;
        return { failure: errorMessage(error) };
      }
    }
  },
});
