import type { Clock, Log } from '@tapline/base';
import { createHttpTransport, type HttpTransport } from '@tapline/registry';
import type { SpanAttributes } from '@tapline/telemetry';
import type { MonitoringConfiguration } from '../monitoring/monitoring-configuration.ts';
import { createRemoteWriteRelay, type RemoteWriteRelay } from './remote-write-relay.ts';
import { createSpanExporter, type SpanExporter } from './span-exporter.ts';
import type { TelemetryMetrics } from './telemetry-metrics.ts';

export const controlPlaneResource: SpanAttributes = { 'service.name': 'tapline-control-plane' };

/** Where metrics of devices and traces go, as far as that is configured. */
export function openTelemetry(
  init: Pick<MonitoringConfiguration, 'remoteWrite' | 'otlp'> & {
    readonly metrics: TelemetryMetrics;
    readonly clock: Clock;
    readonly log: Log;
  },
): AsyncDisposable & {
  readonly relay: RemoteWriteRelay | undefined;
  readonly exporter: SpanExporter | undefined;
} {
  const { remoteWrite, otlp, metrics, clock, log } = init;
  const opened = new AsyncDisposableStack();
  const to = (receiver: { readonly caPem?: string }): HttpTransport =>
    opened.use(
      createHttpTransport(receiver.caPem === undefined ? {} : { tls: { ca: receiver.caPem } }),
    );
  const common = { metrics, clock, log };
  const relay =
    remoteWrite === undefined
      ? undefined
      : opened.use(
          createRemoteWriteRelay({
            ...common,
            configuration: remoteWrite,
            transport: to(remoteWrite),
          }),
        );
  const exporter =
    otlp === undefined
      ? undefined
      : opened.use(createSpanExporter({ ...common, configuration: otlp, transport: to(otlp) }));
  return { relay, exporter, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
