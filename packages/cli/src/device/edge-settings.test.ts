import { expect, test } from 'vitest';
import type { AgentFlagValues } from './agent-flags.ts';
import { edgeSettings } from './edge-settings.ts';

function flags(given: Partial<AgentFlagValues>): AgentFlagValues {
  return {
    data: undefined,
    runtime: 'runc',
    datapath: 'auto',
    fabricHelper: undefined,
    directives: 'watch',
    metricsPort: 0,
    pushMetrics: 0,
    servicesPort: -1,
    quota: 0,
    edge: '0.0.0.0:8080',
    edgeUrl: undefined,
    edgeTls: undefined,
    edgeCertificate: undefined,
    edgeKey: undefined,
    edgeMemory: '256MB',
    edgeDisk: '10GB',
    edgeUser: '61840:61840',
    files: undefined,
    allowForward: [],
    allowReverse: [],
    logLevel: 'warn',
    ...given,
  };
}

const tls = {
  edgeTls: '0.0.0.0:8443',
  edgeCertificate: '/etc/tls/chain.pem',
  edgeKey: '/etc/tls/key.pem',
  edgeUrl: 'https://edge-1.example:8443/',
};

test('an edge serves by TLS as well where its operator says how', () => {
  expect(edgeSettings(flags({ edge: undefined, ...tls }))).toBeUndefined();
  expect(edgeSettings(flags({}))).not.toHaveProperty('tls');
  expect(edgeSettings(flags(tls))).toMatchObject({
    url: 'https://edge-1.example:8443',
    tls: {
      listen: { host: '0.0.0.0', port: 8443 },
      certificateFile: '/etc/tls/chain.pem',
      keyFile: '/etc/tls/key.pem',
    },
  });
});

test.each([
  [{ ...tls, edgeKey: undefined }, /--edge-key/],
  [{ ...tls, edgeTls: '0.0.0.0:0' }, /port/],
  [{ ...tls, edgeUrl: undefined }, /--edge-url/],
  [{ ...tls, edgeUrl: 'http://edge-1.example' }, /https address/],
])('%j is refused', (given, problem) => {
  expect(() => edgeSettings(flags(given))).toThrow(problem);
});
