import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '@tapline/apiserver';
import { type Log, TaplineError } from '@tapline/base';
import { fromAlertmanager, type Signal } from '@tapline/opsbot';
import { readBoundedBody } from '../read-bounded-body.ts';
import { answerFailure, answerJson } from '../json-answers.ts';

export const alertsPath = '/ops/v1/alerts';

const maxBytes = 1024 * 1024;

/** Takes what an Alertmanager sends to a webhook: POST, JSON, by who may `notify`. */
export function createAlertsEndpoint(init: {
  readonly identify: (request: IncomingMessage) => Identity | undefined;
  readonly mayNotify: (identity: Identity) => boolean;
  readonly observe: (signal: Signal) => void;
  readonly log: Log;
}): (request: IncomingMessage, response: ServerResponse) => void {
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const identity = init.identify(request);
      if (identity === undefined) {
        throw new TaplineError('unauthorized', 'authentication is required');
      }
      if (!init.mayNotify(identity)) {
        throw new TaplineError('forbidden', `user ${identity.user} may not send alerts`);
      }
      if (request.method !== 'POST') {
        throw new TaplineError('not_found', `${request.method} ${alertsPath} is not served`);
      }
      const signals = fromAlertmanager(
        parse((await readBoundedBody(request, maxBytes)).toString('utf8')),
      );
      for (const signal of signals) init.observe(signal);
      answerJson(response, 200, { taken: signals.length });
    } catch (error) {
      answerFailure({ request, response }, error, init.log);
    }
  }
  return (request, response) => void answer(request, response);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TaplineError('bad_request', 'alerts that are no JSON', { cause });
  }
}
