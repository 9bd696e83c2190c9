import { temporaryFolder } from '@tapline/testing';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadKubeconfig } from './kubeconfig.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const config = {
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'home',
  clusters: [
    { name: 'c', cluster: { server: 'https://h:1', 'certificate-authority-data': base64('CA') } },
    { name: 'd', cluster: { server: 'https://h:2' } },
  ],
  users: [
    { name: 'admin', user: { 'client-certificate-data': base64('CERT'), 'client-key': 'key.pem' } },
    { name: 'dana', user: { token: 'tla.x.y' } },
  ],
  contexts: [
    { name: 'home', context: { cluster: 'c', user: 'admin' } },
    { name: 'away', context: { cluster: 'd', user: 'dana', namespace: 'n' } },
    { name: 'broken', context: { cluster: 'gone' } },
  ],
};

describe('loadKubeconfig', () => {
  test.each(['json', 'yaml'])('reads the contexts of %s', async (format) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'kubeconfig');
    const yaml = await import('yaml');
    await writeFile(path, format === 'json' ? JSON.stringify(config) : yaml.stringify(config));
    await writeFile(join(folder.path, 'key.pem'), 'KEY');
    expect(await loadKubeconfig(path)).toEqual({
      baseUrl: 'https://h:1',
      ca: 'CA',
      namespace: 'default',
      credentials: { kind: 'certificate', certificate: 'CERT', key: 'KEY' },
    });
    expect(await loadKubeconfig(path, { context: 'away' })).toEqual({
      baseUrl: 'https://h:2',
      namespace: 'n',
      credentials: { kind: 'token', token: 'tla.x.y' },
    });
  });

  test.each([
    [JSON.stringify(config), 'nowhere', 'no context "nowhere"'],
    [JSON.stringify(config), 'broken', 'no cluster "gone"'],
    ['{"clusters": 3}', undefined, 'is no kubeconfig'],
    ['a: [', undefined, 'is no YAML'],
  ])('%# is refused with what is missing', async (text, context, message) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'kubeconfig');
    await writeFile(path, text);
    const options = context === undefined ? {} : { context };
    await expect(loadKubeconfig(path, options)).rejects.toThrow(message);
  });

  test('a file that is not there is named', async () => {
    await expect(loadKubeconfig('/nowhere/kubeconfig')).rejects.toMatchObject({
      code: 'kubeconfig_invalid',
    });
  });
});
