import { deviceResource } from '@tapline/resources';
import { judgeCertificate } from '../check/judge-certificate.ts';
import { printCheck } from '../check/print-check.ts';
import { readServerCertificate } from '../check/read-server-certificate.ts';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { durationFlag } from '../framework/flag.ts';

export const checkCertificate: Command = defineCommand({
  summary: 'For Icinga: how long the certificate of a device or of the control plane is still good',
  description:
    'A plugin: one line, and 0 for OK, 1 for warning, 2 for critical, 3 for unknown. The certificate of the control plane is the one that it shows.',
  examples: [
    { command: 'tapline check certificate ipad-7', explains: 'of a device' },
    { command: 'tapline check certificate', explains: 'of the control plane' },
  ],
  positionals: [
    {
      name: 'DEVICE',
      description: 'its name; the control plane where absent',
      required: false,
      complete: 'devices',
    },
  ],
  plugin: true,
  flags: {
    warning: durationFlag('Warn where it ends sooner', { default: '6h' }),
    critical: durationFlag('Critical where it ends sooner', { default: '2h' }),
    ...connectionFlags,
  },
  async run({ console, positionals: [name], flags }) {
    const { clock, signal } = console;
    const { client, context } = await connect(flags, console);
    const limits = { warning: flags.warning / 1000, critical: flags.critical / 1000 };
    const nowMs = clock.now();
    if (name === undefined) {
      const notAfter = await readServerCertificate(context, { signal });
      const outcome = judgeCertificate('the control plane', { notAfter, nowMs }, limits);
      return await printCheck(console, outcome);
    }
    const { status } = await client.get(deviceResource, name, { signal });
    const notAfter = status?.certificateNotAfter;
    return await printCheck(console, judgeCertificate(name, { notAfter, nowMs }, limits));
  },
});
