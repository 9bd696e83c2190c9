import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startProcess } from '@tapline/testing';

const run = promisify(execFile);

export interface Containerd extends AsyncDisposable {
  /** Runs `ctr WORDS`, and gives what it printed. */
  readonly ctr: (...words: readonly string[]) => Promise<string>;
}

/** A containerd of its own below `directory`, without what Kubernetes wants of it. */
export async function startContainerd(directory: string): Promise<Containerd> {
  const home = join(directory, 'containerd');
  // Mounts below its state are those of tasks; a socket's path may have 107 bytes.
  const state = join(tmpdir(), `ctrd-${process.pid}`);
  await mkdir(home);
  const address = join(state, 'containerd.sock');
  const config = join(home, 'config.toml');
  const lines = [
    'version = 2',
    `root = ${JSON.stringify(join(home, 'root'))}`,
    `state = ${JSON.stringify(state)}`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    `[grpc]\naddress = ${JSON.stringify(address)}`,
    '',
  ];
  await writeFile(config, lines.join('\n'));
  const daemon = await startProcess('containerd', ['--config', config], {
    readyLine: /(containerd successfully booted)/,
  });
  return {
    ctr: async (...words) => (await run('ctr', ['--address', address, ...words])).stdout,
    [Symbol.asyncDispose]: async () => {
      await daemon[Symbol.asyncDispose]();
      await rm(state, { recursive: true, force: true });
    },
  };
}
