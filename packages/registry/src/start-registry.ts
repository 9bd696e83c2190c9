import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { type Clock, type Log, silentLog, systemClock } from '@tapline/base';
import type { RegistryAdmin } from './admin/registry-admin.ts';
import { FileBlobStore } from './storage/file-blob-store.ts';
import { createRegistryServer, type RegistryServerInit } from './protocol/registry-server.ts';

/** A registry with its own plain HTTP socket on the loopback interface. */
export interface RunningRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;
  readonly blobs: FileBlobStore;
  readonly admin: RegistryAdmin;
}

type StartRegistryInit = Omit<RegistryServerInit, 'blobs' | 'log' | 'clock'> & {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly log?: Log;
  readonly clock?: Clock;
};

export async function startRegistry(init: StartRegistryInit): Promise<RunningRegistry> {
  const clock = init.clock ?? systemClock;
  const blobs = await FileBlobStore.open(join(init.directory, 'content'), { clock });
  const log = init.log ?? silentLog;
  const registry = await createRegistryServer({ ...init, blobs, log, clock });
  const server = createServer((request, response) => registry.handle(request, response));
  const port = await listen(server, init.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    blobs,
    admin: registry.admin,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await registry[Symbol.asyncDispose]();
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address.port);
    });
  });
}
