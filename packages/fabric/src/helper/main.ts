import { parseArgs } from 'node:util';
import { listenHelper } from './listen-helper.ts';
import { serveHelper } from './serve-helper.ts';
import { watchKernel } from './watch-kernel.ts';

/**
 * The one process that runs as root: `node main.ts [--wireguard-key FILE] [--agreement-key FILE]
 * [--listen SOCKET --user NUMBER]`. It takes requests on its standard input and ends with it, or at a
 * socket from that user's agent; what it did to the kernel stays.
 */
const { values } = parseArgs({
  options: {
    'wireguard-key': { type: 'string', default: '/var/lib/tapline/fabric/wireguard.key' },
    'agreement-key': { type: 'string', default: '/var/lib/tapline/fabric/agreement.key' },
    listen: { type: 'string' },
    user: { type: 'string', default: '' },
  },
});
process.umask(0o077);
const keys = {
  wireguardKeyFile: values['wireguard-key'],
  agreementKeyFile: values['agreement-key'],
};
const { listen: path } = values;
if (path === undefined) {
  await serveHelper({ input: process.stdin, output: process.stdout, watch: watchKernel }, keys);
} else {
  await listenHelper({ path, user: Number(values.user), watch: watchKernel }, keys);
}
