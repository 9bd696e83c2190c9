import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { loadMonitoringConfiguration } from './monitoring-configuration.ts';

async function load(text: string) {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'ca.crt'), 'the CA');
  await writeFile(join(folder.path, 'password'), 'secret\n');
  const file = join(folder.path, 'monitoring.yaml');
  await writeFile(file, text);
  return await loadMonitoringConfiguration(file);
}

const good = `
icinga:
  url: https://icinga.example:5665
  caFile: ca.crt
  login: { username: tapline, password: { file: password } }
  instance: site-a
`;

test('an Icinga as people write it', async () => {
  expect(await load(good)).toEqual({
    icinga: {
      endpoint: {
        url: 'https://icinga.example:5665',
        caPem: 'the CA',
        serverName: undefined,
        login: { kind: 'password', username: 'tapline', password: 'secret' },
      },
      placement: { instance: 'site-a' },
      prefix: '',
    },
  });
  expect(await load('')).toEqual({});
});

test.each([
  ['https://', 'http://', 'icinga.url: is no https URL'],
  ['site-a', 'site a"', 'icinga.instance: is not 1 to 32'],
  ['caFile: ca.crt', 'caFile: other.crt', 'cannot be read'],
  ['{ file: password }', 'secret', 'icinga.login: is { username'],
  ['instance: site-a', 'zone: site-a', 'zone and globalZone go together'],
  ['instance: site-a', 'prefix: "a!b"', 'icinga.prefix: is not up to 63'],
])('%s written as %s is refused', async (from, to, message) => {
  await expect(load(good.replace(from, to))).rejects.toThrow(message);
});
