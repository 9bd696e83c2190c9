import { formatAge, formatDuration } from '@tapline/base';
import { formatTable } from '../output/format-table.ts';

/** What `/monitoring/v1/status` answers. */
export interface MonitoringAnswer {
  /** Absent where the control plane was told of no Icinga. */
  readonly icinga?: {
    readonly url: string;
    readonly instance: string;
    readonly registration: {
      readonly wanted: number;
      readonly registered: number;
      readonly waiting: number;
      readonly problems: Readonly<Record<string, string>>;
    };
    readonly following: {
      readonly live: boolean;
      readonly since: string;
      readonly streams: number;
      readonly lagSeconds?: number;
      readonly lastError?: string;
    };
    readonly objects: number;
    readonly problemCount: number;
    readonly problems: readonly MonitoringProblem[];
  };
}

interface MonitoringProblem {
  readonly host: string;
  readonly service?: string;
  readonly state: number;
  readonly output: string;
  readonly acknowledged: boolean;
  readonly inDowntime: boolean;
  readonly flapping: boolean;
  readonly since: string;
}

export function describeMonitoring({ icinga }: MonitoringAnswer, nowMs: number): string {
  if (icinga === undefined) {
    return 'no Icinga is configured: tapline monitor connect, then tapline up --monitoring-config\n';
  }
  const { url, instance, registration, following, objects, problems, problemCount } = icinga;
  const { wanted, registered, waiting } = registration;
  const lag =
    following.lagSeconds === undefined
      ? ''
      : `, events come after ${formatDuration(following.lagSeconds * 1000)}`;
  const age = formatAge(following.since, nowMs);
  const why = following.lastError === undefined ? '' : `: ${following.lastError}`;
  const unregistered = Object.entries(registration.problems).map(
    ([host, text]) => `${host}: ${text}\n`,
  );
  return [
    `Icinga at ${url}, as instance ${instance}\n`,
    `${registered} of ${wanted} hosts registered, ${waiting} with something to do\n`,
    following.live ? `followed since ${age}${lag}\n` : `not followed since ${age}${why}\n`,
    ...unregistered,
    `${problemCount} of ${objects} hosts and checks have a problem\n`,
    ...(problems.length === 0 ? [] : ['\n', problemTable(problems, nowMs)]),
    ...(problemCount > problems.length ? [`and ${problemCount - problems.length} more\n`] : []),
  ].join('');
}

function problemTable(problems: readonly MonitoringProblem[], nowMs: number): string {
  return formatTable(
    ['HOST', 'CHECK', 'STATE', 'SINCE', 'HANDLED', 'SAYS'],
    problems.map((problem) => [
      problem.host,
      problem.service ?? '',
      stateName(problem),
      formatAge(problem.since, nowMs),
      handling(problem),
      problem.output,
    ]),
  );
}

function stateName({ service, state }: MonitoringProblem): string {
  if (service === undefined) return 'down';
  return ['ok', 'warning', 'critical'][state] ?? 'unknown';
}

function handling({ acknowledged, inDowntime, flapping }: MonitoringProblem): string {
  const words = [
    ...(acknowledged ? ['acknowledged'] : []),
    ...(inDowntime ? ['downtime'] : []),
    ...(flapping ? ['flapping'] : []),
  ];
  return words.join(', ');
}
