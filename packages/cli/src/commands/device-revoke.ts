import { TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  type Device,
  deviceKeyAnnotation,
  deviceResource,
  revokedDeviceKey,
} from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';

const endsWithinMs = 10_000;
const lookEveryMs = 20;

export const deviceRevoke: Command = defineCommand({
  summary: 'Shut a device out at once: its key is worth nothing from now on',
  description:
    'Its session, watches and streams end, its certificate is refused everywhere and not renewed. The Device stays, with what it reported, and its name stays taken; what runs on it goes on, as the control plane has no say there any more. To let it in again, delete the Device and give it a new join token.',
  examples: [
    { command: 'tapline device revoke ipad-7', explains: 'one that was lost' },
    { command: 'tapline device revoke ipad-7 edge-2', explains: 'two of them' },
  ],
  positionals: [
    {
      name: 'DEVICE',
      description: 'devices to shut out',
      required: true,
      variadic: true,
      complete: 'devices',
    },
  ],
  flags: { ...connectionFlags },
  async run({ console, positionals, flags }) {
    const { client } = await connect(flags, console);
    for (const name of positionals) console.write(`${await revoke(client, name, console)}\n`);
    return exitCode.ok;
  },
});

async function revoke(client: ResourceClient, name: string, console: Console): Promise<string> {
  const { clock, signal } = console;
  const body = { metadata: { annotations: { [deviceKeyAnnotation]: revokedDeviceKey } } };
  const revoked = await client.patch(deviceResource, name, { kind: 'merge', body }, { signal });
  if (!isConnected(revoked)) return `device ${name} revoked; it was not connected`;
  const fromMs = clock.monotonic();
  while (clock.monotonic() - fromMs < endsWithinMs) {
    if (!isConnected(await client.get(deviceResource, name, { signal }))) {
      const ms = Math.round(clock.monotonic() - fromMs);
      return `device ${name} revoked; its session ended within ${Math.max(ms, 1)} ms`;
    }
    await clock.sleep(lookEveryMs, { signal });
  }
  throw new TaplineError(
    'timed_out',
    `device ${name} is revoked, and its session still shows as open after ${endsWithinMs} ms`,
    { hint: `look at it with \`tapline describe device ${name}\`` },
  );
}

function isConnected({ status }: Device): boolean {
  return status?.presence?.connected === true;
}
