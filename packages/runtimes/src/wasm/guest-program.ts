import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createSecureRng, errorMessage, systemClock } from '@tapline/base';
import { findProgram, type GuestProgram, openGuestSystem } from '@tapline/userland';
import type { ProcessSpec } from '../container-spec.ts';
import { processStart } from '../process-start.ts';
import { callExec } from './call-exec.ts';
import { openKeptCode } from './code-folder.ts';
import { directoryLayer } from './directory-layer.ts';
import type { GuestSpec } from './guest-spec.ts';
import { nodeNetwork } from './node-network.ts';
import { serveExec } from './serve-exec.ts';

/**
 * A container of arm64 guests is a process of this program.
 *
 *   guest-program run FOLDER SPEC     starts it; FOLDER is for `pid`, `error` and `exec.sock`
 *   guest-program exec FOLDER SPEC    runs another process in the one whose folder is above FOLDER
 *
 * It works in FOLDER, so that the names of sockets stay short. Where it cannot start, `error` has the
 * reason and the exit code is 125.
 */
const socketName = 'exec.sock';
const notStarted = 125;
const terminate = 15;
/** Arrivals at a place after which it is translated. */
const hotAfter = 8000;

async function main([mode, folder = '', specPath = '']: readonly string[]): Promise<number> {
  process.chdir(folder);
  if (mode === 'exec') {
    announce();
    const spec = JSON.parse(readFileSync(specPath, 'utf8')) as ProcessSpec;
    return await callExec(`../${socketName}`, spec);
  }
  return await runContainer(JSON.parse(readFileSync(specPath, 'utf8')) as GuestSpec);
}

/** Which process this is: a number is used again, and the time that it began is not. */
function announce(): void {
  writeFileSync('pid', `${process.pid} ${processStart(process.pid) ?? 0}\n`);
}

async function runContainer(spec: GuestSpec): Promise<number> {
  const files = directoryLayer(spec.rootfs);
  const programOf = ({ command, env, workingDirectory, user }: ProcessSpec): GuestProgram => {
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return {
      path: findProgram(files, command[0] ?? '', variables),
      argv: command,
      env: variables,
      folder: workingDirectory,
      user: { ...user, groups: [] },
    };
  };
  const program = programOf(spec);
  const kept = await openKeptCode(spec.codeFolder, { files, path: program.path });
  const system = openGuestSystem({
    files,
    clock: systemClock,
    rng: createSecureRng(),
    memoryLimit: spec.memoryBytes,
    storageLimit: spec.storageBytes,
    mostThreads: spec.threads,
    hotAfter,
    codeCache: kept.cache,
    hostName: spec.hostname,
    ...(spec.network && { network: nodeNetwork }),
  });
  const first = system.start({
    ...program,
    stdin: process.stdin.iterator({ destroyOnReturn: false }),
    stdout: writer(process.stdout),
    stderr: writer(process.stderr),
  });
  process.on('SIGTERM', () => first.signal(terminate));
  // One that was killed has left its own.
  await rm(socketName, { force: true });
  const server = serveExec({ system, programOf }).listen(socketName);
  await once(server, 'listening');
  announce();
  try {
    const exitCode = await system.run(first, { fuel: Infinity });
    // What cannot be kept, on a full disk, is translated anew.
    await kept.keep().catch(() => {});
    return exitCode;
  } finally {
    server.close();
    await rm(socketName, { force: true });
  }
}

/** A stream that is full is waited for; one whose reader has gone breaks what is written. */
function writer(stream: NodeJS.WriteStream): (bytes: Uint8Array) => Promise<void> {
  stream.on('error', () => {});
  return (bytes) =>
    new Promise((resolve, reject) => {
      stream.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  writeFileSync('error', errorMessage(error));
  process.exitCode = notStarted;
}
// Input that nobody reads would keep the process.
await Promise.all(
  [process.stdout, process.stderr].map(
    (stream) => new Promise((resolve) => stream.write('', () => resolve(undefined))),
  ),
);
process.exit();
