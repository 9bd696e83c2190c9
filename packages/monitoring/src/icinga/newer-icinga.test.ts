import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { createIcingaClient, type IcingaClient } from './create-icinga-client.ts';
import { parseIcingaName } from './icinga-name.ts';

const missing = haveProgram('openssl') ? undefined : '(needs openssl)';
const host = parseIcingaName('edge-1');
const result = { exit_status: 0, plugin_output: 'fine', performance_data: [] } as const;

/** Answers as Icinga 2.14 to 2.16 do, in the shapes of its documentation; 2.13 runs in other tests. */
async function withNewer(
  answer: { readonly status: number; readonly body: object },
  use: (client: IcingaClient) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const words = ['req', '-x509', ...curve, '-keyout', key, '-out', cert, '-days', '2', ...name];
  execFileSync('openssl', words, { stdio: 'pipe' });
  const caPem = readFileSync(cert, 'utf8');
  const server = createServer({ key: readFileSync(key), cert: caPem }, (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const login = { kind: 'password', username: 'tapline', password: 'x' } as const;
  const url = `https://127.0.0.1:${port}`;
  try {
    await using client = createIcingaClient({
      endpoint: { url, caPem, serverName: 'localhost', login },
    });
    await use(client);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe.skipIf(missing !== undefined)(`an Icinga newer than Debian’s ${missing ?? ''}`, () => {
  test('says which it is', async () => {
    const body = {
      results: [
        { user: 'tapline', version: 'r2.16.0-1', permissions: ['status/query'], info: 'docs' },
      ],
    };
    await withNewer({ status: 200, body }, async (client) => {
      expect(await client.info()).toMatchObject({ version: '2.16.0' });
    });
  });

  test.each([
    [
      'refuses a result that is older than the one it has',
      409,
      {
        results: [
          {
            code: 409,
            status: "Newer check result already present. Check result for 'edge-1' was discarded.",
          },
        ],
      },
    ],
    ['takes none while it reloads', 503, { error: 503, status: 'Icinga is reloading.' }],
    [
      'takes none while it stops',
      503,
      { results: [{ code: 503, status: 'Icinga is shutting down.' }] },
    ],
  ])('%s, which is tried again', async (_, status, body) => {
    await withNewer({ status, body }, async (client) => {
      const sent = client.actions.processCheckResult({ host }, result);
      await expect(sent).rejects.toMatchObject({
        code: 'icinga_busy',
        details: { status, retryable: true },
      });
    });
  });

  test('refuses attributes that it does not know as one object of many', async () => {
    const body = {
      results: [
        {
          code: 500,
          errors: ['Error: Invalid attribute specified: foo\n'],
          status: 'Object could not be created.',
        },
      ],
    };
    await withNewer({ status: 500, body }, async (client) => {
      await expect(
        client.objects.create({ host }, { templates: [], attrs: {} }),
      ).rejects.toMatchObject({ code: 'icinga_invalid' });
    });
  });
});
