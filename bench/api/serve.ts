import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createApiServer, internalIdentity, openAuditLog } from '@tapline/apiserver';
import { createJsonLog, systemClock } from '@tapline/base';
import { deviceResource, installResource, tokenResource } from '@tapline/resources';
import { openSqliteStore } from '@tapline/store';

/** The API server as the benchmark measures it: SQLite, audit log, authentication; plain HTTP. */
const [folder = '.'] = process.argv.slice(2);
const log = createJsonLog({ clock: systemClock, write: (line) => void process.stderr.write(line) });
await using store = await openSqliteStore({ path: join(folder, 'store.db') });
using audit = openAuditLog({ path: join(folder, 'audit.jsonl') });
await using api = await createApiServer({
  store,
  definitions: [deviceResource, installResource, tokenResource],
  clock: systemClock,
  log,
  audit,
  version: 'bench',
  limits: { maxWatchesPerUser: 10_000 },
});
const secret = 's'.repeat(43);
await api.operations.create({ identity: internalIdentity('bench') }, tokenResource, {
  metadata: { name: 'bench' },
  spec: {
    purpose: 'Access',
    hash: createHash('sha256').update(secret).digest('hex'),
    expiresAt: '2100-01-01T00:00:00Z',
    user: 'bench',
    groups: ['tapline:operator'],
  },
});
const server = createServer({ noDelay: true }, (request, response) => {
  api.handle(request, response);
});
server.listen(0, '127.0.0.1', 4096, () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`listening ${port} tla.bench.${secret}\n`);
});
await new Promise((resolve) => process.once('SIGTERM', resolve));
server.closeAllConnections();
server.close();
