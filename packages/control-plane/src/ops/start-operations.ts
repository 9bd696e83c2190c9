import { randomUUID } from 'node:crypto';
import { type ApiServer, type AuditSink, internalIdentity } from '@tapline/apiserver';
import type { Clock, Log, Rng } from '@tapline/base';
import { createInProcessClient } from '@tapline/client';
import type { SessionHub } from '@tapline/gateway';
import type { IcingaMonitoring } from '@tapline/monitoring';
import { fromIcinga, type OpsBot } from '@tapline/opsbot';
import type { Span } from '@tapline/telemetry';
import type { ControlPlaneConfiguration } from '../configuration.ts';
import type { Informers } from '../informers.ts';
import type { ControlPlaneMetrics } from '../metrics.ts';
import { startDeviceMonitoring } from '../monitoring/start-device-monitoring.ts';
import type { IcingaConfiguration } from '../monitoring/monitoring-configuration.ts';
import { createGiveApproval } from './approval-handler.ts';
import { createChatDesk } from './chat/chat-desk.ts';
import { type Chats, openChats } from './chat/open-chats.ts';
import { createExecuteOnDevice } from './execute-on-device.ts';
import { startOps } from './start-ops.ts';

export interface OperationsInit {
  readonly configuration: Pick<ControlPlaneConfiguration, 'monitoring' | 'opsBot'>;
  readonly api: ApiServer;
  readonly audit: AuditSink;
  /** Synced: what is not there would be taken out of Icinga. */
  readonly informers: Informers;
  readonly hub: Pick<SessionHub, 'call'>;
  readonly metrics: Pick<ControlPlaneMetrics, 'ops' | 'reconcile' | 'monitoring'>;
  readonly onSpans?: (spans: readonly Span[]) => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** What watches and mends; each is absent where it is not configured. Disposing it stops them all. */
export interface Operations extends AsyncDisposable {
  readonly bot: OpsBot | undefined;
  readonly icinga: IcingaMonitoring | undefined;
  readonly chats: Chats | undefined;
}

/** Starts OpsBot, the registration in Icinga, and the chats that people approve in. */
export async function startOperations(init: OperationsInit): Promise<Operations> {
  await using opened = new AsyncDisposableStack();
  const { monitoring, opsBot } = init.configuration;
  const bot = opsBot === 'off' ? undefined : opened.use(await startBot(init));
  const icinga =
    monitoring.icinga === undefined
      ? undefined
      : opened.use(startIcinga(init, monitoring.icinga, bot));
  bot?.source('icinga', () => icinga?.status().following.live === true);
  const chats = opened.use(startChats(init));
  const owned = opened.move();
  return { bot, icinga, chats, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function startBot(init: OperationsInit): Promise<OpsBot> {
  const { api, configuration, hub, informers, metrics } = init;
  metrics.ops.source(() => countPhases(informers));
  return await startOps({
    ...init,
    client: createInProcessClient(api, internalIdentity('opsbot')),
    shared: configuration.opsBot === 'shared',
    identity: `control-plane-${randomUUID()}`,
    execute: createExecuteOnDevice({ hub, install: (name) => informers.installs.get(name) }),
    metrics: metrics.ops,
    reconcileMetrics: metrics.reconcile,
  });
}

function startIcinga(
  { informers, metrics, clock, rng, log }: OperationsInit,
  configuration: IcingaConfiguration,
  bot: OpsBot | undefined,
): IcingaMonitoring {
  return startDeviceMonitoring({
    configuration,
    informers,
    metrics: metrics.monitoring,
    onChange(change) {
      // Of what is no device OpsBot hears by conditions, but for what Icinga itself looked at.
      const isOther = change.object.host.slice(configuration.prefix.length).includes('_');
      if (isOther && change.object.service?.startsWith('check-') !== true) return;
      const signal = fromIcinga(change, configuration.prefix);
      if (signal !== undefined) bot?.observe(signal);
    },
    clock,
    rng,
    log,
  });
}

function startChats(init: OperationsInit): Chats | undefined {
  const { api, audit, configuration, informers, clock } = init;
  const { chat } = configuration.monitoring;
  if (chat === undefined) return undefined;
  const client = createInProcessClient(api, internalIdentity('opsbot'));
  const approve = createGiveApproval({ client, clock });
  return openChats(chat, {
    ...init,
    desk: createChatDesk({
      client,
      allows: (identity, action) => api.allows(identity, action),
      approve,
      audit,
      clock,
    }),
    remediations: informers.remediations,
  });
}

function countPhases({ remediations }: Informers): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status } of remediations.list()) {
    const phase = status?.phase ?? 'Waiting';
    counts[phase] = (counts[phase] ?? 0) + 1;
  }
  return counts;
}
