import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { type Clock, type Log, silentLog, systemClock } from '@tapline/base';
import type { Authorize } from './protocol/authorize.ts';
import { FileBlobStore } from './storage/file-blob-store.ts';
import { createRegistryServer, type RegistryServerInit } from './protocol/registry-server.ts';

/** A registry with its own plain HTTP socket on the loopback interface. */
export interface RunningRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;
  readonly blobs: FileBlobStore;
}

export async function startRegistry(init: {
  readonly directory: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly authorize: Authorize;
  readonly challenge?: RegistryServerInit['challenge'];
  readonly log?: Log;
  readonly clock?: Clock;
}): Promise<RunningRegistry> {
  const blobs = await FileBlobStore.open(join(init.directory, 'content'));
  const registry = await createRegistryServer({
    blobs,
    directory: init.directory,
    authorize: init.authorize,
    ...(init.challenge !== undefined && { challenge: init.challenge }),
    log: init.log ?? silentLog,
    clock: init.clock ?? systemClock,
  });
  const server = createServer((request, response) => registry.handle(request, response));
  const port = await listen(server, init.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    blobs,
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
