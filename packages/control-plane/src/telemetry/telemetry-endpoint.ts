import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Identity } from '@tapline/apiserver';
import { isTaplineError, type Log, TaplineError } from '@tapline/base';
import { deviceOfUser } from '@tapline/gateway';
import { parseOtlpTraces } from '@tapline/telemetry';
import { readBoundedBody } from '../read-bounded-body.ts';
import { answerFailure, answerJson } from '../json-answers.ts';
import { maxWriteBytes, type RemoteWriteRelay } from './remote-write-relay.ts';
import type { SpanExporter } from './span-exporter.ts';
import type { TelemetryMetrics } from './telemetry-metrics.ts';

export const telemetryMetricsPath = '/telemetry/v1/metrics';
export const telemetryTracesPath = '/telemetry/v1/traces';

const maxTraceBytes = 256 * 1024;

/** Takes what devices tell of themselves: remote write, and spans as OTLP; each only of itself. */
export function createTelemetryEndpoint(init: {
  readonly identify: (request: IncomingMessage) => Identity | undefined;
  /** Whether it is the device still: a deleted or revoked one has its certificate, and is nobody. */
  readonly isDevice: (identity: Identity, device: string) => boolean;
  /** Absent where nobody is configured to have them. */
  readonly relay: RemoteWriteRelay | undefined;
  readonly exporter: SpanExporter | undefined;
  readonly metrics: TelemetryMetrics;
  readonly log: Log;
}): (request: IncomingMessage, response: ServerResponse) => void {
  const { relay, exporter, metrics, log } = init;

  function sender(request: IncomingMessage): string {
    const identity = init.identify(request);
    if (identity === undefined) {
      throw new TaplineError('unauthorized', 'authentication is required');
    }
    const device = deviceOfUser(identity.user);
    if (device !== undefined && init.isDevice(identity, device)) return device;
    throw new TaplineError('forbidden', `user ${identity.user} is no device, or not any more`);
  }

  async function take(request: IncomingMessage): Promise<void> {
    const device = sender(request);
    const path = request.url?.split('?', 1)[0];
    const isMetrics = path === telemetryMetricsPath;
    if (request.method !== 'POST' || (isMetrics ? relay : exporter) === undefined) {
      throw new TaplineError('not_found', `nobody takes ${isMetrics ? 'metrics' : 'traces'} here`);
    }
    if (isMetrics) await relay?.write(device, await readBoundedBody(request, maxWriteBytes));
    else {
      const spans = parseOtlpTraces(parse(await readBoundedBody(request, maxTraceBytes)));
      exporter?.export(spans, { 'service.name': 'tapline-agent', 'service.instance.id': device });
    }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const kind = request.url?.startsWith(telemetryMetricsPath) === true ? 'metrics' : 'traces';
    try {
      await take(request);
      metrics.request(kind, 'taken');
      answerJson(response, 200, {});
    } catch (error) {
      const isAway = isTaplineError(error, 'unavailable');
      if (!isTaplineError(error, 'not_found')) {
        metrics.request(kind, isAway ? 'unavailable' : 'refused');
      }
      if (isAway) answerJson(response, 503, { code: 'unavailable', message: error.message });
      else if (isRefusal(error)) {
        log.warn('what a device tells of itself was refused', { kind, error });
        answerJson(response, 400, { code: error.code, message: error.message });
      } else answerFailure({ request, response }, error, log);
    }
  }
  return (request, response) => void answer(request, response);
}

function isRefusal(error: unknown): error is TaplineError {
  return ['remote_write_refused', 'snappy_invalid', 'traces_refused'].some((code) =>
    isTaplineError(error, code),
  );
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new TaplineError('bad_request', 'spans that are no JSON', { cause });
  }
}
