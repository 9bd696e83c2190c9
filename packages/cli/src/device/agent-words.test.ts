import { expect, test } from 'vitest';
import { agentFlags, type AgentFlagValues } from './agent-flags.ts';
import { agentWords } from './agent-words.ts';

const given: Required<AgentFlagValues> = {
  data: '/data',
  runtime: 'runc',
  datapath: 'kernel',
  fabricHelper: '/run/tapline/fabric.sock',
  directives: 'watch',
  metricsPort: 1,
  pushMetrics: 2,
  servicesPort: 3,
  quota: 4,
  edge: '0.0.0.0:8080',
  edgeUrl: 'https://edge.example',
  edgeTls: '0.0.0.0:8443',
  edgeCertificate: '/chain.pem',
  edgeKey: '/key.pem',
  edgeMemory: '1GB',
  edgeDisk: '2GB',
  edgeUser: '1:2',
  files: '/files',
  allowForward: ['80'],
  allowReverse: ['81'],
  logLevel: 'info',
};

test('an agent that is started anew has every flag that it was given', () => {
  const words = agentWords(given);
  for (const name of Object.keys(agentFlags)) {
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    const value = given[name as keyof AgentFlagValues];
    const at = words.indexOf(flag);
    expect(at, flag).not.toBe(-1);
    expect(words[at + 1]).toContain(String(Array.isArray(value) ? value[0] : value));
  }
});
