import { parseArgs } from 'node:util';
import { serveHelper } from './serve-helper.ts';
import { watchKernel } from './watch-kernel.ts';

/**
 * The one process that runs as root: `node main.ts [--wireguard-key FILE] [--agreement-key FILE]`. It takes requests on its
 * standard input and ends with it; what it did to the kernel stays.
 */
const { values } = parseArgs({
  options: {
    'wireguard-key': { type: 'string', default: '/var/lib/tapline/fabric/wireguard.key' },
    'agreement-key': { type: 'string', default: '/var/lib/tapline/fabric/agreement.key' },
  },
});
process.umask(0o077);
await serveHelper(
  { input: process.stdin, output: process.stdout, watch: watchKernel },
  { wireguardKeyFile: values['wireguard-key'], agreementKeyFile: values['agreement-key'] },
);
