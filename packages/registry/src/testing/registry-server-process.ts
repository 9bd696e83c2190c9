import { flushCompileCache } from 'node:module';
import { startRegistry } from '../start-registry.ts';

// It is killed before it could keep what it compiled for the next.
flushCompileCache();

/**
 * A registry in a process of its own, to be killed: `<folder> [options as JSON]`. Prints
 * `listening <port>`, then collects garbage over and over where asked to.
 */
const [directory = '', options = '{}'] = process.argv.slice(2);
const { collects = false, ...init } = JSON.parse(options) as {
  readonly collects?: boolean;
  readonly graceMs?: number;
  readonly reserveBytes?: number;
};
const registry = await startRegistry({ directory, authorize: () => 'allowed', ...init });
process.stdout.write(`listening ${registry.port}\n`);
if (collects) await collectForever();

async function collectForever(): Promise<never> {
  for (;;) await registry.admin.collect({ untagged: true });
}
