import { type Clock, errorMessage, isTaplineError } from '@tapline/base';
import type { ConsoleMessage } from '@tapline/ops-console';
import {
  incidentResource,
  opsPolicyResource,
  playbookResource,
  remediationResource,
} from '@tapline/resources';
import type { Connection } from '../../connection/connect.ts';
import { mayDo, whoAmI } from '../../connection/who-am-i.ts';

const kinds = {
  incidents: incidentResource,
  remediations: remediationResource,
  playbooks: playbookResource,
  opspolicies: opsPolicyResource,
} as const;
type Kind = keyof typeof kinds;

const againMs = 1000;
/**
 * How often is asked who this is, and so whether the control plane is there: a watch that was cut says
 * nothing, and is begun anew where there is no answer.
 */
const lookMs = 10_000;
const refusedMs = 60_000;
const answerWithinMs = 5000;

/** Tells who asks, all that the page shows, and what of it changes, until the signal aborts. */
export async function watchOps(
  { client, context }: Connection,
  init: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly tell: (message: ConsoleMessage) => void;
  },
): Promise<void> {
  const { clock, signal, tell } = init;
  let watching = new AbortController();

  async function tellSession(): Promise<void> {
    const options = { signal: soon(signal) };
    const [user, mayApprove, mayPause] = await Promise.all([
      whoAmI(context, options),
      mayDo(context, { verb: 'create', resource: 'remediations', subresource: 'approve' }, options),
      mayDo(context, { verb: 'patch', resource: 'opspolicies' }, options),
    ]);
    const server = new URL(context.baseUrl).host;
    tell({ type: 'session', user, server, mayApprove, mayPause });
  }

  async function tellKind(kind: Kind): Promise<void> {
    const definition = kinds[kind];
    const list = await client.list(definition, { signal: soon(signal) });
    tell({ type: 'all', kind, objects: list.items } as ConsoleMessage);
    const { resourceVersion } = list;
    const until = AbortSignal.any([signal, watching.signal]);
    for await (const event of client.watch(definition, { resourceVersion, signal: until })) {
      if (event.kind === 'bookmark') continue;
      const { object } = event;
      if (event.kind === 'deleted') tell({ type: 'gone', kind, name: object.metadata.name });
      else tell({ type: 'changed', kind, objects: [object] } as ConsoleMessage);
    }
  }

  /** Again after it ended, or failed; what it failed with is told. */
  async function keep(
    kind: Kind | 'session',
    { once, everyMs }: { readonly once: () => Promise<void>; readonly everyMs: number },
  ): Promise<void> {
    while (!signal.aborted) {
      let pauseMs = everyMs;
      try {
        await once();
      } catch (error) {
        if (signal.aborted) return;
        const code = isTaplineError(error) ? error.code : 'unavailable';
        // Each refusal is in the audit log.
        pauseMs = code === 'forbidden' || code === 'unauthorized' ? refusedMs : againMs;
        if (kind === 'session') {
          watching.abort();
          watching = new AbortController();
        }
        tell({ type: 'trouble', kind, code, message: errorMessage(error) });
      }
      await clock.sleep(pauseMs, { signal }).catch(() => undefined);
    }
  }

  await Promise.all([
    keep('session', { once: tellSession, everyMs: lookMs }),
    ...(Object.keys(kinds) as Kind[]).map((kind) =>
      keep(kind, { once: () => tellKind(kind), everyMs: againMs }),
    ),
  ]);
}

function soon(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]);
}
