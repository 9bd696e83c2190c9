import { type Clock, errorMessage, type Log, type Rng, TaplineError } from '@tapline/base';
import type { HttpTransport } from '@tapline/registry';
import {
  compressSnappy,
  encodeWriteRequest,
  otlpTraces,
  type Series,
  type Span,
} from '@tapline/telemetry';
import { TelemetryOutbox } from './telemetry-outbox.ts';

/** Sends what a device measures of itself through its tunnel, also what it measured while it was away. */
export interface Telemetry extends AsyncDisposable {
  spans(spans: readonly Span[]): void;
  /** There is a way to the control plane again. */
  connected(): void;
}

/** An hour of a device's metrics; the Prometheus at the other end takes nothing older. */
const maxMetricsBytes = 1024 * 1024;
const maxTraceBytes = 128 * 1024;
/** So long nothing is sent where nobody takes it. */
const nobodyMs = 600_000;
const timeoutMs = 30_000;

type Kind = 'metrics' | 'traces';

export async function startTelemetry(init: {
  readonly device: string;
  /** How often metrics are sent. */
  readonly intervalMs: number;
  readonly series: (atMs: number) => Promise<readonly Series[]>;
  readonly transport: () => HttpTransport;
  readonly url: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}): Promise<Telemetry> {
  const { device, intervalMs, clock, rng, log } = init;
  const stopping = new AbortController();
  const { signal } = stopping;
  const outboxes: Readonly<Record<Kind, TelemetryOutbox>> = {
    metrics: new TelemetryOutbox(maxMetricsBytes),
    traces: new TelemetryOutbox(maxTraceBytes),
  };
  /** Until when nobody takes something, by the monotonic clock. */
  const nobodyUntilMs: Record<Kind, number> = { metrics: 0, traces: 0 };
  let sending: Promise<void> | undefined;

  /** One after the other; who asks while it is under way has what he wants. */
  function send(): void {
    sending ??= sendAll().finally(() => {
      sending = undefined;
    });
  }

  async function sendAll(): Promise<void> {
    for (const kind of ['traces', 'metrics'] as const) {
      for (;;) {
        const body = outboxes[kind].first;
        if (body === undefined || signal.aborted) break;
        if (clock.monotonic() < nobodyUntilMs[kind]) outboxes[kind].clear();
        else if (!(await sendOne(kind, body))) break;
      }
    }
  }

  /** Whether it is worth going on. */
  async function sendOne(kind: Kind, body: Uint8Array): Promise<boolean> {
    let status: number;
    try {
      status = await post(kind, body);
    } catch (error) {
      log.debug('what was measured waits for a connection', { kind, error: errorMessage(error) });
      return false;
    }
    if (status === 404) {
      nobodyUntilMs[kind] = clock.monotonic() + nobodyMs;
      return true;
    }
    // As remote write and OTLP have it: these are worth another try, the others never.
    if (status === 429 || status === 401 || status === 403 || status >= 500) return false;
    if (status >= 300) log.warn('what was measured is not taken', { kind, status });
    outboxes[kind].done();
    return true;
  }

  async function post(kind: Kind, body: Uint8Array): Promise<number> {
    const { status, body: answer } = await init.transport().send({
      method: 'POST',
      url: new URL(`/telemetry/v1/${kind}`, init.url),
      headers: {
        'content-length': String(body.length),
        'content-type': kind === 'traces' ? 'application/json' : 'application/x-protobuf',
        ...(kind === 'metrics' && {
          'content-encoding': 'snappy',
          'x-prometheus-remote-write-version': '0.1.0',
        }),
      },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    for await (const chunk of answer) void chunk;
    return status;
  }

  async function measure(): Promise<void> {
    if (intervalMs === 0) return;
    try {
      // A thousand devices that start together are not to send together.
      await clock.sleep(rng() * intervalMs, { signal });
      for (;;) {
        if (clock.monotonic() >= nobodyUntilMs.metrics) {
          const series = await init.series(clock.now());
          outboxes.metrics.add(compressSnappy(encodeWriteRequest(series)));
          send();
        }
        await clock.sleep(intervalMs, { signal });
      }
    } catch (error) {
      if (!signal.aborted) log.error('metrics are not sent any more', { error });
    }
  }

  const measuring = measure();
  return {
    spans(spans) {
      if (clock.monotonic() < nobodyUntilMs.traces) return;
      const resource = { 'service.name': 'tapline-agent', 'service.instance.id': device };
      outboxes.traces.add(new TextEncoder().encode(JSON.stringify(otlpTraces(spans, resource))));
      send();
    },
    connected() {
      send();
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new TaplineError('stopped', 'the agent is stopping'));
      await measuring;
      await sending;
    },
  };
}
