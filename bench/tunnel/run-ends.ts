import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { systemClock } from '@tapline/base';
import { createCertificateAuthority } from '@tapline/gateway';
import { startProcess, temporaryFolder } from '@tapline/testing';

const run = promisify(execFile);
const port = 7443;
/**
 * The end that receives has a device's young generation (`becomeLean`). In a larger one 60 MB of what was
 * read wait to be collected, which costs a third of the throughput and holds the ends up for 10 ms.
 */
const receiverFlags = ['--max-semi-space-size=1'];

/** Where the ends run: names of network namespaces, or undefined for this one. */
export interface Ends {
  readonly client: string | undefined;
  readonly server: string | undefined;
  readonly serverAddress: string;
}

/** Measures one multiplexer between two processes, each in its place. */
export async function runEnds(
  mode: 'latency' | 'bulk' | 'messages',
  mux: string,
  ends: Ends & {
    readonly seconds: number;
    /** Of who does not look for what the path takes, but is told. */
    readonly paceMegabits?: number;
  },
): Promise<Readonly<Record<string, number>>> {
  await using opened = new AsyncDisposableStack();
  const { path: folder } = opened.use(await temporaryFolder());
  const authority = await createCertificateAuthority({ directory: folder, clock: systemClock });
  const identity = authority.issueServer({ hosts: [ends.serverAddress] });
  const pem = join(folder, 'server.pem');
  writeFileSync(pem, identity.privateKeyPem + identity.certificatePem, { mode: 0o600 });
  const server = mux === 'ssh' ? 'plain' : mux;
  const serve = join(import.meta.dirname, 'serve.ts');
  const address = mux === 'ssh' ? '127.0.0.1' : ends.serverAddress;
  const words = [process.execPath, serve, server, address, String(port), pem];
  const [program = '', ...rest] = within(ends.server, words);
  const env = { TAPLINE_BENCH_PACE: String(ends.paceMegabits ?? '') };
  opened.use(await startProcess(program, rest, { readyLine: /ready/, env }));
  if (mux === 'ssh') {
    const { forwardBySsh } = await import('./forward-by-ssh.ts');
    opened.use(await forwardBySsh(ends, { folder, port }));
  }
  await delay(100);
  const measure = join(import.meta.dirname, 'measure.ts');
  const target = mux === 'ssh' ? ['plain', '127.0.0.1'] : [mux, ends.serverAddress];
  const [client = '', ...clientRest] = within(ends.client, [
    process.execPath,
    ...receiverFlags,
    measure,
    mode,
    ...target,
    String(port),
    String(ends.seconds),
  ]);
  const timeout = (ends.seconds + 30) * 1000;
  const { stdout } = await run(client, clientRest, { timeout, killSignal: 'SIGKILL' });
  return JSON.parse(stdout) as Readonly<Record<string, number>>;
}

export function within(namespace: string | undefined, words: readonly string[]): readonly string[] {
  return namespace === undefined ? words : ['nsenter', `--net=/run/netns/${namespace}`, ...words];
}
