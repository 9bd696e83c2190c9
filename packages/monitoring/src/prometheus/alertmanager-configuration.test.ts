import { expect, test } from 'vitest';
import { alertmanagerConfiguration } from './alertmanager-configuration.ts';

interface Configuration {
  readonly receivers: readonly { readonly webhook_configs?: readonly unknown[] }[];
}

function webhooks(init: Parameters<typeof alertmanagerConfiguration>[0]): readonly unknown[] {
  const { receivers } = alertmanagerConfiguration(init) as Configuration;
  return receivers.flatMap((one) => one.webhook_configs ?? []);
}

test('OpsBot is told by TLS and with a token, beside whoever else is to know', () => {
  const opsBot = { controlPlanes: ['10.0.0.5:7443'], caFile: 'ca.pem', tokenFile: 'ops-token' };
  expect(webhooks({ webhookUrl: 'https://chat.example.net/', opsBot })).toEqual([
    { url: 'https://chat.example.net/', send_resolved: true },
    {
      url: 'https://10.0.0.5:7443/ops/v1/alerts',
      send_resolved: true,
      http_config: {
        authorization: { type: 'Bearer', credentials_file: 'ops-token' },
        tls_config: { ca_file: 'ca.pem' },
      },
    },
  ]);
  expect(webhooks({ webhookUrl: undefined })).toEqual([]);
  const wrong = { ...opsBot, controlPlanes: ['10.0.0.5/x'] };
  expect(() => webhooks({ webhookUrl: undefined, opsBot: wrong })).toThrow('is no host:port');
});
