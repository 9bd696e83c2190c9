import type { AgentFlagValues } from './agent-flags.ts';

/** The command line of an agent with these flags. */
export function agentWords(flags: AgentFlagValues): readonly string[] {
  return [
    'agent',
    ...(flags.data === undefined ? [] : ['--data', flags.data]),
    '--runtime',
    flags.runtime,
    '--datapath',
    flags.datapath,
    ...(flags.fabricHelper === undefined ? [] : ['--fabric-helper', flags.fabricHelper]),
    '--metrics-port',
    String(flags.metricsPort),
    '--directives',
    flags.directives,
    '--push-metrics',
    `${flags.pushMetrics}ms`,
    ...(flags.servicesPort === -1 ? [] : ['--services-port', String(flags.servicesPort)]),
    '--quota',
    String(flags.quota),
    ...(flags.edge === undefined ? [] : ['--edge', flags.edge]),
    ...(flags.edgeUrl === undefined ? [] : ['--edge-url', flags.edgeUrl]),
    ...(flags.edgeTls === undefined ? [] : ['--edge-tls', flags.edgeTls]),
    ...(flags.edgeCertificate === undefined ? [] : ['--edge-certificate', flags.edgeCertificate]),
    ...(flags.edgeKey === undefined ? [] : ['--edge-key', flags.edgeKey]),
    '--edge-memory',
    flags.edgeMemory,
    '--edge-disk',
    flags.edgeDisk,
    '--edge-user',
    flags.edgeUser,
    ...(flags.files === undefined ? [] : ['--files', flags.files]),
    ...flags.allowForward.flatMap((ports) => ['--allow-forward', ports]),
    ...flags.allowReverse.flatMap((ports) => ['--allow-reverse', ports]),
    '--log-level',
    flags.logLevel,
  ];
}
