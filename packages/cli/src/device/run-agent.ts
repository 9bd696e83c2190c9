import { buildVersion, createJsonLog, type LogLevel } from '@tapline/base';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { edgeSettings } from './edge-settings.ts';
import { type AgentFlagValues, runtimeOf } from './agent-flags.ts';
import { agentWords } from './agent-words.ts';
import { becomeLean } from './become-lean.ts';

/** Runs the agent of a device that has joined, until it is told to stop; programs go on. */
export async function runAgent(flags: AgentFlagValues, console: Console): Promise<number> {
  becomeLean(agentWords(flags));
  const { startAgent } = await import('@tapline/agent');
  const { parsePortSet } = await import('@tapline/gateway');
  const edge = edgeSettings(flags);
  const log = createJsonLog({
    clock: console.clock,
    write: (line) => console.note(line),
    level: flags.logLevel as LogLevel,
  });
  await using agent = await startAgent({
    dataDirectory: agentDataDirectory(flags.data, console.environment),
    version: buildVersion,
    log,
    clock: console.clock,
    collectMemory,
    runtime: runtimeOf(flags),
    machineEnvironment: machineEnvironment(console.environment),
    ...(flags.datapath === 'kernel' ||
    flags.datapath === 'kernel-vlans' ||
    flags.datapath === 'user-space' ||
    flags.datapath === 'sockets'
      ? { datapath: flags.datapath }
      : {}),
    ...(flags.fabricHelper === undefined ? {} : { fabricHelper: flags.fabricHelper }),
    metricsPort: flags.metricsPort,
    ...(flags.directives === 'calls' ? { directives: flags.directives } : {}),
    pushMetricsMs: flags.pushMetrics,
    ...(flags.servicesPort === -1 ? {} : { servicesPort: flags.servicesPort }),
    ...(edge === undefined ? {} : { edge }),
    ...(flags.files === undefined ? {} : { filesDirectory: flags.files }),
    forward: {
      connect: parsePortSet(flags.allowForward),
      listen: parsePortSet(flags.allowReverse),
    },
    ...(flags.quota === 0 ? {} : { quotaBytes: flags.quota * 1024 * 1024 }),
  });
  console.write(
    `agent of ${agent.device} runs; metrics at http://127.0.0.1:${agent.metricsPort}/metrics\n`,
  );
  if (agent.servicesPort !== undefined) {
    console.write(`control plane by name at 127.0.0.1:${agent.servicesPort}\n`);
  }
  if (!console.signal.aborted) await once(console.signal, 'abort');
  return exitCode.ok;
}

/** Where command lines of machines look for those. */
const machineVariables = [
  'HOME',
  'PATH',
  'XDG_RUNTIME_DIR',
  'DOCKER_CONFIG',
  'DOCKER_HOST',
  'COLIMA_HOME',
  'CONTAINER_HOST',
];

function machineEnvironment(environment: Console['environment']): Readonly<Record<string, string>> {
  return Object.fromEntries(
    machineVariables.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Twice: what the first one finds unused since the last, such as code, the second one frees. */
function collectMemory(): void {
  const wanted = { type: 'major', execution: 'sync', flavor: 'last-resort' } as const;
  globalThis.gc?.(wanted);
  globalThis.gc?.(wanted);
}

export function agentDataDirectory(
  flag: string | undefined,
  environment: Console['environment'],
): string {
  if (flag !== undefined) return flag;
  if (process.getuid?.() === 0) return '/var/lib/tapline/agent';
  const share =
    environment['XDG_DATA_HOME'] ?? join(environment['HOME'] ?? homedir(), '.local', 'share');
  return join(share, 'tapline', 'agent');
}
