import { silentLog, systemClock, systemRng } from '@tapline/base';
import { createRegistryClient } from '../client/create-registry-client.ts';
import { startReplicator } from '../replication/replicator.ts';

// A process that replicates everything slowly, to be killed: DIRECTORY SOURCE DESTINATION RATE.
const [directory = '', from = '', to = '', rate = '0'] = process.argv.slice(2);
const replicator = startReplicator({
  policies: [
    {
      name: 'all',
      direction: 'push',
      remote: createRegistryClient({ baseUrl: to }),
      repositories: ['**'],
      tags: [],
      prefix: '',
      referrers: true,
      deletion: false,
      onPush: true,
      ...(rate === '0' ? {} : { bytesPerSecond: Number(rate) }),
    },
  ],
  local: createRegistryClient({ baseUrl: from }),
  directory,
  clock: systemClock,
  rng: systemRng,
  log: silentLog,
  concurrency: 1,
});
process.stdin.setEncoding('utf8').on('data', (text: string) => {
  for (const line of text.trim().split('\n')) {
    const [repository = '', reference = ''] = line.split(' ');
    replicator.changed({ kind: 'pushed', repository, reference });
    process.stdout.write(`taken up ${line}\n`);
  }
});
process.stdout.write('ready\n');
