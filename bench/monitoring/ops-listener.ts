import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog, systemClock, systemRng } from '@tapline/base';
import { createHttpClient, loadKubeconfig } from '@tapline/client';
import { createOpsInformers, fromIcinga, startOpsBot } from '@tapline/opsbot';

/**
 * `node ops-listener.ts KUBECONFIG HOSTS CHECKS`: an OpsBot alone, which hears of every service of an Icinga
 * and then, again and again, that one in twenty of them fails and is well. Prints its resident memory.
 */
const [kubeconfig = '', hosts = '0', checks = '0'] = process.argv.slice(2);
const context = await loadKubeconfig(kubeconfig);
const common = { clock: systemClock, rng: systemRng, log: silentLog };
await using client = createHttpClient({ ...context, userAgent: 'bench', clock: systemClock });
await using informers = createOpsInformers(client, common);
await informers.synced;
await using bot = startOpsBot({ client, informers, identity: 'bench', shared: false, ...common });
bot.source('icinga', () => true);

const rounds = 10;
for (let round = 0; round < rounds; round += 1) {
  for (let host = 0; host < Number(hosts); host += 1) {
    for (let check = 0; check < Number(checks); check += 1) {
      const isBad = round % 2 === 1 && (host * Number(checks) + check) % 20 === 0;
      const atSeconds = Math.floor(systemClock.now() / 1000) + round;
      const is = {
        state: isBad ? 2 : 0,
        hard: true,
        output: isBad ? `check ${check} fails in round ${round}` : 'is as it has to be',
        acknowledged: false,
        inDowntime: false,
        flapping: false,
        atSeconds,
      } as const;
      const object = { host: `edge-${host}`, service: `check-${check}` };
      const signal = fromIcinga({ object, before: undefined, after: is }, '');
      if (signal !== undefined) bot.observe(signal);
    }
  }
  await delay(1000);
}
const status = readFileSync('/proc/self/status', 'utf8');
const kilobytes = (name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN);
const figures = { now: kilobytes('VmRSS') * 1024, peak: kilobytes('VmHWM') * 1024 };
process.stdout.write(`${JSON.stringify(figures)}\n`);
