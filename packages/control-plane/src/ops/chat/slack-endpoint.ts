import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, errorMessage, type Log, TaplineError } from '@tapline/base';
import { isSlackSignature, parseSlackRequest, slackAnswer } from '@tapline/opsbot';
import type { HttpTransport } from '@tapline/registry';
import { answerFailure, answerJson } from '../../json-answers.ts';
import type { SlackConfiguration } from '../../monitoring/monitoring-configuration.ts';
import { readBoundedBody } from '../../read-bounded-body.ts';
import type { ChatDesk } from './chat-desk.ts';
import { sendJson } from './send-json.ts';

export const slackPath = '/ops/v1/slack';

const maxBytes = 256 * 1024;
const maxSignatures = 10_000;

/**
 * Takes what Slack sends where somebody clicks or types: signed, at most five minutes old, and each once.
 * It wants an answer within three seconds, so a message is replaced afterwards.
 */
export function createSlackEndpoint(init: {
  readonly configuration: SlackConfiguration;
  readonly desk: ChatDesk;
  readonly transport: HttpTransport;
  readonly clock: Clock;
  readonly log: Log;
}): (request: IncomingMessage, response: ServerResponse) => void {
  const { configuration, desk, transport, clock, log } = init;
  const { signingSecret: secret, people } = configuration;
  const seen = new Set<string>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await readBoundedBody(request, maxBytes);
      const signature = header(request, 'x-slack-signature');
      const timestamp = header(request, 'x-slack-request-timestamp');
      if (!isSlackSignature({ secret, timestamp, signature, body, nowMs: clock.now() })) {
        throw new TaplineError('unauthorized', 'the request is not signed by Slack, or too old');
      }
      if (request.method !== 'POST') {
        throw new TaplineError('not_found', `${request.method} ${slackPath} is not served`);
      }
      const isAgain = seen.has(signature ?? '');
      if (seen.size >= maxSignatures) seen.clear();
      seen.add(signature ?? '');
      if (isAgain) throw new TaplineError('unauthorized', 'this request was sent before');
      const { user, command, responseUrl } = parseSlackRequest(body.toString('utf8'));
      const { text } = await desk.say({ chat: 'slack', id: user, people, command });
      if (responseUrl === undefined) {
        answerJson(response, 200, { response_type: 'ephemeral', text });
        return;
      }
      answerJson(response, 200, {});
      await replace(responseUrl, text);
    } catch (error) {
      answerFailure({ request, response }, error, log);
    }
  }

  /** Only where Slack's own webhooks are: no other address is written to, whoever has signed. */
  async function replace(url: string, text: string): Promise<void> {
    const isSlack =
      URL.canParse(url) && new URL(url).origin === new URL(configuration.webhook).origin;
    if (!isSlack) {
      log.warn('a message of Slack cannot be replaced there', {});
      return;
    }
    try {
      await sendJson(transport, { method: 'POST', url, body: slackAnswer(text) });
    } catch (error) {
      log.warn('a message of Slack was not replaced', { error: errorMessage(error) });
    }
  }

  return (request, response) => void answer(request, response);
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
