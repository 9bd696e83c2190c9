import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Log, Rng } from '@tapline/base';
import { approvalText, slackMessage } from '@tapline/opsbot';
import type { Informer } from '@tapline/reconcile';
import { createHttpTransport, type HttpTransport } from '@tapline/registry';
import type { Remediation } from '@tapline/resources';
import type { ChatConfiguration } from '../../monitoring/monitoring-configuration.ts';
import { announceApprovals } from './announce-approvals.ts';
import type { ChatDesk } from './chat-desk.ts';
import { openMatrixRoom } from './matrix-room.ts';
import { sendJson } from './send-json.ts';
import { createSlackEndpoint } from './slack-endpoint.ts';

/** The chats that are configured, until disposed. */
export interface Chats extends AsyncDisposable {
  /** Serves what Slack sends; absent without it. */
  readonly slack: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
}

export function openChats(
  configuration: ChatConfiguration,
  init: {
    readonly desk: ChatDesk;
    readonly remediations: Pick<Informer<Remediation>, 'get' | 'list' | 'onChange'>;
    readonly clock: Clock;
    readonly rng: Rng;
    readonly log: Log;
  },
): Chats {
  const { desk, clock, rng, log } = init;
  const { slack, matrix } = configuration;
  const opened = new AsyncDisposableStack();
  const to = (caPem: string | undefined): HttpTransport =>
    // A homeserver holds a request for half a minute where nothing is said.
    opened.use(
      createHttpTransport({ idleMs: 60_000, ...(caPem !== undefined && { tls: { ca: caPem } }) }),
    );
  const announce = (tell: (remediation: Remediation) => Promise<void>): void =>
    void opened.use(announceApprovals({ remediations: init.remediations, tell, clock, rng, log }));
  let endpoint: Chats['slack'];
  if (slack !== undefined) {
    const transport = to(slack.caPem);
    endpoint = createSlackEndpoint({ configuration: slack, desk, transport, clock, log });
    announce(async (remediation) => {
      const body = slackMessage(remediation);
      await sendJson(transport, { method: 'POST', url: slack.webhook, body });
    });
  }
  if (matrix !== undefined) {
    const transport = to(matrix.caPem);
    const room = opened.use(openMatrixRoom({ configuration: matrix, desk, transport, clock, log }));
    announce(async (remediation) => {
      const { metadata, status } = remediation;
      const how = `!tapline approve ${metadata.name} ${status?.digest?.slice(0, 12) ?? ''}`;
      const id = `${metadata.uid ?? ''} ${status?.digest ?? ''} ${status?.phase ?? ''}`;
      await room.tell(id, `${approvalText(remediation)}\nsay: ${how}`);
    });
  }
  return { slack: endpoint, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
