import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '@tapline/apiserver';
import { type Log, TaplineError } from '@tapline/base';
import type { IcingaMonitoring } from '@tapline/monitoring';
import { administratorOf } from '../administrator-of.ts';
import { answerFailure, answerJson } from '../json-answers.ts';
import type { IcingaConfiguration } from './monitoring-configuration.ts';

export const monitoringPath = '/monitoring/v1/status';

/** Most states that are answered: a person reads them. */
const maxProblems = 500;

/** How Icinga is kept in step, and what it sees as a problem; for administrators. */
export function createMonitoringEndpoint(init: {
  readonly icinga: () =>
    | { readonly configuration: IcingaConfiguration; readonly monitoring: IcingaMonitoring }
    | undefined;
  readonly identify: (request: IncomingMessage) => Identity | undefined;
  readonly log: Log;
}): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    try {
      administratorOf(init.identify(request), 'see how Icinga is kept in step');
      if (request.method !== 'GET') {
        throw new TaplineError('not_found', `${request.method} ${monitoringPath} is not served`);
      }
      const icinga = init.icinga();
      answerJson(response, 200, icinga === undefined ? {} : { icinga: describe(icinga) });
    } catch (error) {
      answerFailure({ request, response }, error, init.log);
    }
  };
}

function describe({
  configuration,
  monitoring,
}: NonNullable<ReturnType<Parameters<typeof createMonitoringEndpoint>[0]['icinga']>>): unknown {
  const { registration, following } = monitoring.status();
  const all = [...monitoring.states.values()];
  const problems = all.filter(({ is }) => is.state !== 0);
  return {
    url: configuration.endpoint.url,
    instance: configuration.placement.instance,
    registration,
    following: {
      live: following.live,
      since: new Date(following.sinceMs).toISOString(),
      streams: following.streams,
      lagSeconds: following.lagSeconds,
      lastError: following.lastError,
    },
    objects: all.length,
    problemCount: problems.length,
    problems: problems.slice(0, maxProblems).map(({ object, is }) => ({
      ...object,
      state: is.state,
      output: is.output,
      acknowledged: is.acknowledged,
      inDowntime: is.inDowntime,
      flapping: is.flapping,
      since: new Date(is.atSeconds * 1000).toISOString(),
    })),
  };
}
