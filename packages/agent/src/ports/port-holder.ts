import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Clock, isSystemError, TaplineError } from '@tapline/base';
import { carryConnection } from './carry-connection.ts';
import { type ConnectorProcess, startConnector } from './connector-process.ts';
import type { Backend, HeldRoute, HolderState } from './held-port.ts';
import { type Probed, probePort } from './probe-port.ts';

/** Holds ports open while the programs behind them come and go. */
export interface PortHolder {
  /** Free ports of this network, for programs to be told. */
  freePorts(count: number): Promise<readonly number[]>;
  /** Gives all new connections to a revision; those that are open stay where they are. */
  route(route: HeldRoute): Promise<void>;
  /** Whether somebody answers behind a backend: to a connection, or to a request for `path`. */
  probe(asked: {
    readonly backend: Backend;
    readonly path?: string | undefined;
    readonly connector: readonly string[];
  }): Promise<Probed>;
  /** No more new connections. */
  close(): void;
  state(): HolderState;
}

export function createPortHolder({ clock }: { readonly clock: Clock }): PortHolder {
  const servers = new Map<number, Server>();
  const connectors = new Map<number, ConnectorProcess>();
  const open = new Map<number, number>();
  let current: HeldRoute | undefined;

  function accept(port: number, socket: Socket): void {
    const route = current;
    const held = route?.ports.find((one) => one.port === port);
    if (route === undefined || held === undefined) {
      socket.destroy();
      return;
    }
    const { revision } = route;
    open.set(revision, (open.get(revision) ?? 0) + 1);
    const done = (): void => {
      const left = (open.get(revision) ?? 1) - 1;
      if (left > 0) open.set(revision, left);
      else open.delete(revision);
    };
    const { backend } = held;
    if (backend.kind === 'port') {
      void carryConnection(socket, backend.port, { clock }).finally(done);
      return;
    }
    const connector = connectors.get(backend.pid);
    if (connector === undefined) {
      socket.destroy();
      done();
    } else connector.carry(socket, backend.port, done);
  }

  async function listen(port: number): Promise<void> {
    // What came with a connection is for whoever gets it.
    const server = createServer(
      { pauseOnConnect: true, allowHalfOpen: true, noDelay: true },
      (socket) => accept(port, socket),
    );
    try {
      await listenAt(server, port);
    } catch (cause) {
      if (!isSystemError(cause, 'EADDRINUSE') && !isSystemError(cause, 'EACCES')) throw cause;
      throw new TaplineError('port_in_use', `port ${port} of this node cannot be listened at`, {
        cause,
        hint: 'choose another in spec.ports, or end what listens there',
      });
    }
    server.on('error', () => undefined);
    servers.set(port, server);
  }

  async function connectorOf(pid: number, command: readonly string[]): Promise<ConnectorProcess> {
    const known = connectors.get(pid);
    if (known !== undefined) return known;
    const started = await startConnector(pid, { command });
    connectors.set(pid, started);
    return started;
  }

  function closeOthers(wanted: ReadonlySet<number>): void {
    for (const [port, server] of servers) {
      if (wanted.has(port)) continue;
      servers.delete(port);
      server.close();
    }
  }

  return {
    async freePorts(count) {
      const found = await Promise.all(
        Array.from({ length: count }, async () => {
          const server = createServer();
          server.listen(0, '127.0.0.1');
          await once(server, 'listening');
          return server;
        }),
      );
      const ports = found.map((server) => (server.address() as AddressInfo).port);
      for (const server of found) server.close();
      return ports;
    },
    async route(route) {
      const pids = networksOf(route);
      for (const pid of pids) await connectorOf(pid, route.connector);
      for (const { port } of route.ports) if (!servers.has(port)) await listen(port);
      current = route;
      closeOthers(new Set(route.ports.map(({ port }) => port)));
      for (const [pid, connector] of connectors) {
        if (pids.has(pid)) continue;
        connectors.delete(pid);
        connector.letGo();
      }
    },
    async probe({ backend, path, connector }) {
      const { port } = backend;
      if (backend.kind === 'port') return await probePort(port, { path, clock });
      return await (await connectorOf(backend.pid, connector)).probe(port, path);
    },
    close() {
      current = undefined;
      closeOthers(new Set());
    },
    state() {
      for (const [pid, connector] of connectors) {
        // Of a program that was looked at, ended, and never got a connection.
        if (existsSync(`/proc/${pid}`) || (current !== undefined && networksOf(current).has(pid))) {
          continue;
        }
        connectors.delete(pid);
        connector.letGo();
      }
      return {
        ...(current !== undefined && { revision: current.revision }),
        connections: Object.fromEntries(open),
      };
    },
  };
}

/** The processes whose networks a route leads into. */
function networksOf({ ports }: HeldRoute): ReadonlySet<number> {
  return new Set(ports.flatMap(({ backend }) => (backend.kind === 'network' ? [backend.pid] : [])));
}

/** At all addresses, of both versions where there are two. */
async function listenAt(server: Server, port: number): Promise<void> {
  server.listen({ port, host: '::' });
  try {
    await once(server, 'listening');
  } catch (error) {
    if (!isSystemError(error, 'EAFNOSUPPORT') && !isSystemError(error, 'EADDRNOTAVAIL'))
      throw error;
    server.listen({ port, host: '0.0.0.0' });
    await once(server, 'listening');
  }
}
