import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { silentLog, systemClock, systemRng } from '@tapline/base';
import { createHttpClient, loadKubeconfig } from '@tapline/client';
import { type Enrolment, enrolmentResource, findCondition } from '@tapline/resources';
import { eventually, haveProgram, temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { parseControlPlaneConfiguration } from '../configuration.ts';
import { startControlPlane } from '../start-control-plane.ts';

const missing = haveProgram('openssl') ? '' : '(needs openssl)';

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: Buffer;
}

test.skipIf(missing !== '')(`a profile from its object to the device ${missing}`, async () => {
  await using folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  const configuration = parseControlPlaneConfiguration({
    TAPLINE_DATA_DIRECTORY: data,
    TAPLINE_PORT: '0',
    HOMEBREW_API_DOMAIN: 'http://127.0.0.1:9',
    HOMEBREW_BOTTLE_DOMAIN: 'http://127.0.0.1:9',
  });
  await using plane = await startControlPlane({
    configuration,
    clock: systemClock,
    rng: systemRng,
    log: silentLog,
  });
  await plane.ready;
  const context = await loadKubeconfig(plane.adminKubeconfigPath);
  await using admin = createHttpClient({ ...context, userAgent: 'test', clock: systemClock });

  function fetch(url: string, method = 'GET'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { ca: plane.caCertificatePem, agent: false, method };
      httpsRequest(url, options, (response) => {
        response.toArray().then((chunks) => {
          const type = response.headers['content-type'];
          resolve({ status: response.statusCode, type, body: Buffer.concat(chunks) });
          return undefined;
        }, reject);
      })
        .on('error', reject)
        .end();
    });
  }

  function settled(what: string, done: (enrolment: Enrolment) => boolean): Promise<Enrolment> {
    return eventually(what, async () => {
      const enrolment = await admin.get(enrolmentResource, 'news');
      return done(enrolment) ? enrolment : undefined;
    });
  }

  const spec = {
    title: 'News',
    system: 'iOS',
    payloads: [{ id: 'clip', name: 'News', webClip: { url: 'https://tv.example/news' } }],
    link: { seconds: 3600, generation: 1, revoked: false },
  } as const;
  await admin.create(enrolmentResource, {
    metadata: { name: 'news' },
    spec: { ...spec, payloads: [...spec.payloads] },
  });
  const served = await settled('it has a link', ({ status }) => status?.url !== undefined);
  const url = served.status?.url ?? '';

  // Without any certificate, as Safari; as often as one likes; a look at it is no download.
  const answers = await Promise.all([fetch(url), fetch(url), fetch(url), fetch(url, 'HEAD')]);
  for (const answer of answers) {
    expect(answer).toMatchObject({ status: 200, type: 'application/x-apple-aspen-config' });
  }
  const counted = await settled('three are counted', ({ status }) => status?.downloads === 3);
  expect(counted.status?.lastDownloadAt).toBeDefined();
  expect(counted.status?.url).toBe(url);

  await writeFile(join(folder.path, 'ca.pem'), plane.caCertificatePem);
  await writeFile(join(folder.path, 'profile'), answers[0]?.body ?? '');
  const options = { cwd: folder.path, timeout: 30_000, stdio: 'pipe' } as const;
  const verify = ['cms', '-verify', '-inform', 'DER', '-CAfile', 'ca.pem', '-in', 'profile'];
  expect(execFileSync('openssl', verify, options).toString()).toContain(
    '<string>https://tv.example/news</string>',
  );

  // Another link, and the old one is over; then nobody gets it; then it is gone.
  const patch = (link: object): Promise<Enrolment> =>
    admin.patch(enrolmentResource, 'news', { kind: 'merge', body: { spec: { link } } });
  await patch({ generation: 2 });
  const renewed = await settled('another link', ({ status }) => status?.linkGeneration === 2);
  expect(renewed.status?.url).not.toBe(url);
  const old = await fetch(url);
  expect(old).toMatchObject({ status: 410, type: 'text/plain; charset=utf-8' });
  expect(old.body.toString()).toMatch(/this link was revoked/);
  expect((await fetch(renewed.status?.url ?? '')).status).toBe(200);
  await patch({ revoked: true });
  const revoked = await settled('it is revoked', ({ status }) => status?.url === undefined);
  expect(findCondition(revoked.status?.conditions, 'Ready')?.reason).toBe('Revoked');
  expect((await fetch(renewed.status?.url ?? '')).status).toBe(410);
  expect((await fetch(url, 'POST')).status).toBe(405);
  await admin.delete(enrolmentResource, 'news');
  await eventually('its link is gone with it', async () =>
    (await fetch(url)).status === 404 ? true : undefined,
  );

  // Who guesses has to wait.
  const guess = `${plane.url}/profiles/v1/${'a'.repeat(40)}.${'b'.repeat(22)}/x.mobileconfig`;
  await eventually('guesses are slowed down', async () =>
    (await fetch(guess)).status === 429 ? true : undefined,
  );
  const audit = await readFile(join(data, 'audit', 'audit.jsonl'), 'utf8');
  const lines = audit.split('\n').filter((line) => line.includes('"enrolments"'));
  expect(lines.some((line) => line.includes('profiles'))).toBe(true);
});
