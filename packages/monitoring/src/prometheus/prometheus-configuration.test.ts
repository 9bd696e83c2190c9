import { expect, test } from 'vitest';
import { globalPrometheus, sitePrometheus } from './prometheus-configuration.ts';

const site = {
  site: 'site-a',
  controlPlanes: ['10.0.0.5:7443'],
  identity: { caFile: 'ca.pem', tokenFile: 'token' },
  agents: [],
  alertmanagers: ['10.0.0.6:9093'],
  interval: '15s',
};

test('a site scrapes its control planes within limits, and says which site it is', () => {
  expect(sitePrometheus(site)).toMatchObject({
    global: { scrape_interval: '15s', external_labels: { site: 'site-a' } },
    rule_files: ['site.rules.yaml'],
    alerting: { alertmanagers: [{ static_configs: [{ targets: ['10.0.0.6:9093'] }] }] },
    scrape_configs: [
      {
        job_name: 'tapline-control-plane',
        scheme: 'https',
        tls_config: { ca_file: 'ca.pem' },
        authorization: { credentials_file: 'token' },
        sample_limit: 5000,
        static_configs: [{ targets: ['10.0.0.5:7443'] }],
      },
    ],
  });
});

test('agents that can be reached are scraped, too', () => {
  expect(sitePrometheus({ ...site, agents: ['127.0.0.1:7444'] })).toMatchObject({
    scrape_configs: [
      {},
      {
        job_name: 'tapline-agents',
        sample_limit: 5000,
        static_configs: [{ targets: ['127.0.0.1:7444'] }],
      },
    ],
  });
});

test('the level above takes what sites computed, and leaves their labels', () => {
  const sites = { 'site-a': '10.0.0.5:9090', 'site-b': '[fd00::5]:9090' };
  expect(globalPrometheus({ sites, alertmanagers: [], interval: '1m' })).toMatchObject({
    scrape_configs: [
      {
        metrics_path: '/federate',
        honor_labels: true,
        params: { 'match[]': ['{__name__=~"site:.*"}'] },
        static_configs: [
          { targets: ['10.0.0.5:9090'], labels: { site: 'site-a' } },
          { targets: ['[fd00::5]:9090'], labels: { site: 'site-b' } },
        ],
      },
    ],
  });
});

test.each([
  [{ ...site, site: 'Site A' }, 'site "Site A" is not 1 to 63'],
  [{ ...site, controlPlanes: ['https://a:1'] }, '"https://a:1" is no host:port'],
  [{ ...site, alertmanagers: ['a'] }, '"a" is no host:port'],
  [{ ...site, interval: '15' }, 'interval "15" is not as 15s or 1m'],
])('%j is refused', (init, message) => {
  expect(() => sitePrometheus(init)).toThrow(message);
});
