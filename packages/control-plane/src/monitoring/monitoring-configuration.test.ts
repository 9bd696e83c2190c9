import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { loadMonitoringConfiguration } from './monitoring-configuration.ts';

async function load(text: string) {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'ca.crt'), 'the CA');
  await writeFile(join(folder.path, 'password'), 'secret\n');
  await writeFile(join(folder.path, 'webhook'), 'https://hooks.slack.com/services/T/B/x\n');
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

test('checks that Icinga runs, and chats with who is who', async () => {
  const checks = 'checks: { command: /usr/bin/tapline, kubeconfig: /etc/k }';
  const { icinga } = await load(`${good.replace('instance: site-a', checks)}  prefix: edge-\n`);
  expect(icinga?.placement).toEqual({
    instance: 'default',
    checks: {
      command: '/usr/bin/tapline',
      kubeconfig: '/etc/k',
      everySeconds: 300,
      prefix: 'edge-',
    },
  });
  const slack = `
chat:
  slack:
    webhook: { file: webhook }
    signingSecret: { file: password }
    people: { U1: { user: dana } }
`;
  expect(await load(slack)).toEqual({
    chat: {
      slack: {
        webhook: 'https://hooks.slack.com/services/T/B/x',
        signingSecret: 'secret',
        people: { U1: { user: 'dana', groups: ['tapline:approver'] } },
      },
    },
  });
  const wrong = slack.replace('file: webhook', 'file: password');
  // What is in the file is a secret, also where it is wrong.
  await expect(load(wrong)).rejects.toThrow(/^chat\.slack\.webhook: its file holds no HTTP URL$/);
});

test.each([
  ['https://', 'http://', 'icinga.url: is no https URL'],
  ['site-a', 'site a"', 'icinga.instance: is not 1 to 32'],
  ['caFile: ca.crt', 'caFile: other.crt', 'cannot be read'],
  ['{ file: password }', 'secret', 'icinga.login: is { username'],
  ['instance: site-a', 'zone: site-a', 'zone and globalZone go together'],
  ['instance: site-a', 'prefix: "a!b"', 'icinga.prefix: is not up to 63'],
  [
    'instance: site-a',
    'checks: { command: "tapline; id", kubeconfig: /k }',
    'icinga.checks.command: is no absolute path',
  ],
])('%s written as %s is refused', async (from, to, message) => {
  await expect(load(good.replace(from, to))).rejects.toThrow(message);
});
