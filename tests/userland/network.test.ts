import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { seededRng, systemClock } from '@tapline/base';
import { directoryLayer } from '@tapline/runtimes';
import { temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { type HostNetwork, runProgram } from '@tapline/userland';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianUnavailable } from '../../tools/debian/debian-unavailable.ts';
import { unpackPackages } from '../elf/unpack-packages.ts';

const reason = await debianUnavailable('arm64');

/** What curl of Debian needs. */
const curlPackages = (
  'curl libcurl4 libc6 zlib1g libnghttp2-14 libidn2-0 librtmp1 libssh2-1 libpsl5 libssl3 ' +
  'libgssapi-krb5-2 libkrb5-3 libk5crypto3 libcom-err2 libkrb5support0 libkeyutils1 libldap-2.5-0 ' +
  'libsasl2-2 libzstd1 libbrotli1 libunistring2 libhogweed6 libnettle8 libgnutls30 libp11-kit0 ' +
  'libtasn1-6 libffi8 libgmp10'
).split(' ');

describe.skipIf(reason !== undefined)(`TCP by a connector (needs ${reason ?? 'nothing'})`, () => {
  let folder: TemporaryFolder;
  let root: string;
  let server: Server;
  const content = 'x'.repeat(300_000);

  beforeAll(async () => {
    folder = await temporaryFolder();
    root = join(folder.path, 'root');
    mkdirSync(root);
    const names = ['busybox-static', ...curlPackages];
    await unpackPackages(root, { architecture: 'arm64', names });
    server = createServer((_, response) => response.end(content));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }, 120_000);
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await folder[Symbol.asyncDispose]();
  });

  /** Knows one address and one name; everything else is refused. */
  function network(): HostNetwork {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    return {
      resolve: async (name) => await Promise.resolve(name === 'files.example' ? ['10.1.2.3'] : []),
      connect: (to) =>
        new Promise((resolve, reject) => {
          if (to.host !== '10.1.2.3') {
            reject(new Error('refused'));
            return;
          }
          const socket = connect({ host: '127.0.0.1', port });
          socket.on('error', reject);
          socket.once('connect', () => {
            resolve({
              input: socket.iterator({ destroyOnReturn: false }),
              write: (bytes) => void socket.write(bytes),
              end: () => void socket.end(),
              close: () => void socket.destroy(),
            });
          });
        }),
    };
  }

  async function run(argv: readonly string[], way: HostNetwork | undefined): Promise<object> {
    let stdout = '';
    const { exitCode } = await runProgram({
      files: directoryLayer(root),
      path: argv[0] ?? '',
      argv,
      env: ['PATH=/usr/bin:/bin'],
      folder: '/',
      stdout: (bytes) => {
        stdout += new TextDecoder().decode(bytes);
      },
      clock: systemClock,
      rng: seededRng(1),
      memoryLimit: 512 * 1024 * 1024,
      hotAfter: 8000,
      fuel: 20_000_000_000,
      ...(way !== undefined && { network: way }),
    });
    return { exitCode, stdout };
  }

  const wget = ['/bin/busybox', 'wget', '-q', '-O', '-'] as const;

  test('a file comes whole', { timeout: 60_000 }, async () => {
    const result = await run([...wget, 'http://10.1.2.3:8080/x'], network());
    expect(result).toEqual({ exitCode: 0, stdout: content });
  });

  test('what the connector refuses, and where there is none', { timeout: 60_000 }, async () => {
    const failed = { exitCode: 1, stdout: '' };
    expect(await run([...wget, 'http://10.9.9.9:8080/x'], network())).toEqual(failed);
    expect(await run([...wget, 'http://10.1.2.3:8080/x'], undefined)).toEqual(failed);
    // The guests' own machine, where nobody listens.
    expect(await run([...wget, 'http://127.0.0.1:8080/x'], network())).toEqual(failed);
  });

  test('curl, by a name', { timeout: 120_000 }, async () => {
    const result = await run(['/usr/bin/curl', '-s', 'http://files.example:8080/x'], network());
    expect(result).toEqual({ exitCode: 0, stdout: content });
  });
});
