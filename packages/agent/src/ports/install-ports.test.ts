import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { silentLog, systemClock } from '@tapline/base';
import { eventually, haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { createInstallPorts, type InstallPorts, type PortsOwner } from './install-ports.ts';

const uid = 'u1';
const canEnter = process.getuid?.() === 0 && haveProgram('nsenter') && haveProgram('unshare');

/** A program of a revision: it says which one it is. */
async function startProgram(port: number, revision: number): Promise<Server> {
  const server = createServer((_request, response) => response.end(`revision ${revision}`));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function open(directory: string, onLost: (uid: string) => void = () => undefined): InstallPorts {
  return createInstallPorts({
    dataDirectory: directory,
    onLost,
    clock: systemClock,
    log: silentLog,
  });
}

async function ask(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
  return await response.text();
}

/** A connection that is kept, and asked again and again. */
async function keptConnection(port: number): Promise<{ ask(): Promise<string>; socket: Socket }> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.setEncoding('latin1');
  return {
    socket,
    async ask() {
      socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
      const [text] = (await once(socket, 'data')) as [string];
      return text.slice(text.indexOf('\r\n\r\n') + 4);
    },
  };
}

describe('ports of installs', () => {
  test('move without a failed request, and connections stay where they are', async () => {
    await using folder = await temporaryFolder();
    await using ports = open(folder.path);
    await using opened = new AsyncDisposableStack();
    opened.defer(() => ports.end(uid));
    const port = await freePort();
    const of = (revision: number): PortsOwner => ({
      uid,
      revision,
      ports: [{ port, env: 'PORT' }],
    });
    for (const revision of [1, 2]) {
      const { PORT } = await ports.environment(of(revision));
      // What it was told once is what it is told again.
      expect(await ports.environment(of(revision))).toEqual({ PORT });
      expect(await ports.probe(of(revision), 1, '/')).toMatchObject({ healthy: false });
      const program = await startProgram(Number(PORT), revision);
      opened.defer(() => {
        program.closeAllConnections();
        program.close();
      });
      expect(await ports.probe(of(revision), 1, '/')).toEqual({ healthy: true, why: '' });
    }
    await ports.move(of(1), 1);
    const kept = await keptConnection(port);
    expect(await kept.ask()).toBe('revision 1');

    const answers = new Set<string>();
    const moved = new AbortController();
    const load = Array.from({ length: 4 }, async () => {
      while (!moved.signal.aborted) answers.add(await ask(port));
    });
    await ports.move(of(2), 1);
    expect(await ask(port)).toBe('revision 2');
    moved.abort();
    await Promise.all(load);
    for (const answer of answers) expect(answer).toMatch(/^revision [12]$/);
    expect(await kept.ask()).toBe('revision 1');
    await eventually('only the kept one is open', async () => {
      const { connections, revision } = (await ports.state(uid)) ?? { connections: {} };
      return revision === 2 && connections['1'] === 1 && connections['2'] === undefined;
    });

    // The next life of the agent finds all of it.
    await ports[Symbol.asyncDispose]();
    await using next = open(folder.path);
    expect(await next.state(uid)).toEqual({ revision: 2, connections: { 1: 1 } });
    kept.socket.destroy();
    await eventually('nothing is open', async () => {
      return Object.keys((await next.state(uid))?.connections ?? { 1: 1 }).length === 0;
    });
    await next.close(uid);
    await expect(ask(port)).rejects.toThrow('fetch failed');
  });

  test('a program that starts again is waited for', async () => {
    await using folder = await temporaryFolder();
    await using ports = open(folder.path);
    await using opened = new AsyncDisposableStack();
    opened.defer(() => ports.end(uid));
    const port = await freePort();
    const owner = { uid, revision: 1, ports: [{ port, env: 'PORT' }] };
    const { PORT } = await ports.environment(owner);
    await ports.move(owner, 1);
    const answer = ask(port);
    const program = await startProgram(Number(PORT), 1);
    opened.defer(() => {
      program.closeAllConnections();
      program.close();
    });
    expect(await answer).toBe('revision 1');
  });

  test('a port that somebody has is said so, and a holder that dies is missed', async () => {
    await using folder = await temporaryFolder();
    const lost = Promise.withResolvers<string>();
    await using ports = open(folder.path, (one) => lost.resolve(one));
    const taken = createServer().listen(0, '::');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const owner = { uid, revision: 1, ports: [{ port, env: 'PORT' }] };
    await ports.environment(owner);
    await expect(ports.move(owner, 1)).rejects.toMatchObject({ code: 'port_in_use' });
    taken.close();
    await ports.move(owner, 1);
    expect(ports.has(uid)).toBe(true);
    await ports.end(uid);
    expect(ports.has(uid)).toBe(false);

    await ports.environment(owner);
    const { readFile } = await import('node:fs/promises');
    const { createHash } = await import('node:crypto');
    const short = createHash('sha256').update(uid).digest('hex').slice(0, 12);
    const record = await readFile(`${folder.path}/ports/${short}/holder.json`, 'utf8');
    const { pid } = JSON.parse(record) as { readonly pid: number };
    process.kill(pid, 'SIGKILL');
    expect(await lost.promise).toBe(uid);
    expect(await ports.state(uid)).toBeUndefined();
    // With the next move they are held again.
    await ports.move(owner, 1);
    expect(await ports.state(uid)).toMatchObject({ revision: 1 });
    await ports.end(uid);
  });

  test.skipIf(!canEnter)('lead into the network of a program that has one of its own', async () => {
    await using folder = await temporaryFolder();
    await using ports = open(folder.path);
    await using opened = new AsyncDisposableStack();
    opened.defer(() => ports.end(uid));
    const port = await freePort();
    const pids: number[] = [];
    for (const revision of [1, 2]) {
      const script = `require('http').createServer((q, s) => s.end('revision ${revision}')).listen(8080, '127.0.0.1')`;
      const up = `ip link set lo up 2>/dev/null || busybox ifconfig lo up; exec "$0" -e "$1"`;
      const words = ['--net', '--', 'sh', '-c', up, process.execPath, script];
      const program = spawn('unshare', words, { stdio: 'ignore' });
      opened.defer(() => void program.kill('SIGKILL'));
      pids.push(program.pid ?? 0);
    }
    const of = (revision: number): PortsOwner => ({
      uid,
      revision,
      ports: [{ port, target: 8080 }],
    });
    for (const [index, pid] of pids.entries()) {
      await eventually('it listens', async () => {
        return (await ports.probe(of(index + 1), pid, '/')).healthy;
      });
    }
    await ports.move(of(1), pids[0] ?? 0);
    const kept = await keptConnection(port);
    expect(await kept.ask()).toBe('revision 1');
    await ports.move(of(2), pids[1] ?? 0);
    expect(await ask(port)).toBe('revision 2');
    expect(await kept.ask()).toBe('revision 1');
    expect(await ports.state(uid)).toMatchObject({ revision: 2, connections: { 1: 1 } });
    kept.socket.destroy();
    await eventually('nothing of the first is open', async () => {
      return (await ports.state(uid))?.connections['1'] === undefined;
    });
  });

  test.skipIf(!canEnter || !haveProgram('ip'))('are in the namespace of a segment', async () => {
    await using folder = await temporaryFolder();
    await using ports = open(folder.path);
    await using opened = new AsyncDisposableStack();
    opened.defer(() => ports.end(uid));
    const name = `tapline-test-${randomBytes(4).toString('hex')}`;
    const ip = (...words: readonly string[]): string =>
      execFileSync('ip', words, { encoding: 'utf8' });
    ip('netns', 'add', name);
    opened.defer(() => void ip('netns', 'delete', name));
    ip('netns', 'exec', name, 'ip', 'link', 'set', 'lo', 'up');
    const port = 8000;
    const owner: PortsOwner = {
      uid,
      revision: 1,
      ports: [{ port, env: 'PORT' }],
      namespace: `/run/netns/${name}`,
    };
    const { PORT = '' } = await ports.environment(owner);
    const script = `require('http').createServer((q, s) => s.end('there')).listen(${PORT}, '127.0.0.1')`;
    const program = spawn('ip', ['netns', 'exec', name, process.execPath, '-e', script]);
    opened.defer(() => void program.kill('SIGKILL'));
    await eventually('it listens', async () => (await ports.probe(owner, 1, '/')).healthy);
    await ports.move(owner, 1);
    const asker = `fetch('http://127.0.0.1:${port}/').then((r) => r.text()).then(console.log)`;
    expect(ip('netns', 'exec', name, process.execPath, '-e', asker)).toBe('there\n');
    // Nothing of it is on the node's own network.
    await expect(ask(port)).rejects.toThrow('fetch failed');
  });
});
