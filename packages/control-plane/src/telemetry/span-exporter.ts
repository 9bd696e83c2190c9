import { type Clock, errorMessage, type Log, TaplineError } from '@tapline/base';
import type { HttpTransport } from '@tapline/registry';
import { otlpTraces, type Span, type SpanAttributes } from '@tapline/telemetry';
import type { OtlpConfiguration } from '../monitoring/monitoring-configuration.ts';
import type { TelemetryMetrics } from './telemetry-metrics.ts';

/** Sends spans to a collector; what it does not take is dropped, as a delivery waits for none. */
export interface SpanExporter extends AsyncDisposable {
  /** `resource` says which program took the time. */
  export(spans: readonly Span[], resource: SpanAttributes): void;
}

const flushMs = 1000;
/** More wait nowhere: the oldest go. */
const maxWaiting = 10_000;
const maxBatch = 500;
const tries = 4;
const timeoutMs = 10_000;
/** What is left is sent within this when the control plane stops; a collector that hangs holds nothing up. */
const lastMs = 2000;

export function createSpanExporter(init: {
  readonly configuration: OtlpConfiguration;
  readonly transport: HttpTransport;
  readonly metrics: TelemetryMetrics;
  readonly clock: Clock;
  readonly log: Log;
}): SpanExporter {
  const { configuration, transport, metrics, clock, log } = init;
  const stopping = new AbortController();
  /** Nothing is sent any more. */
  const over = new AbortController();
  const waiting: { readonly span: Span; readonly resource: SpanAttributes }[] = [];
  let woken = Promise.withResolvers<void>();
  const running = run();

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await woken.promise;
      woken = Promise.withResolvers();
      try {
        // What comes at the same time goes together.
        await clock.sleep(flushMs, { signal: stopping.signal });
      } catch {
        // Stopping: what is there goes out, once.
      }
      while (waiting.length > 0 && !over.signal.aborted) await send(waiting.splice(0, maxBatch));
    }
  }

  async function send(batch: typeof waiting): Promise<void> {
    const byResource = Map.groupBy(batch, ({ resource }) => JSON.stringify(resource));
    const documents = [...byResource.values()].map((all) =>
      otlpTraces(
        all.map(({ span }) => span),
        all[0]?.resource ?? {},
      ),
    );
    const resourceSpans = documents.flatMap(
      (document) => (document as { readonly resourceSpans: readonly unknown[] }).resourceSpans,
    );
    const body = Buffer.from(JSON.stringify({ resourceSpans }));
    for (let attempt = 1; ; attempt += 1) {
      try {
        await post(body);
        metrics.spans('exported', batch.length);
        return;
      } catch (error) {
        const retryable = !(error instanceof TaplineError && error.code === 'traces_refused');
        if (!retryable || attempt === tries || stopping.signal.aborted) {
          metrics.spans('dropped', batch.length);
          log.warn('spans were not taken', { count: batch.length, error: errorMessage(error) });
          return;
        }
        await clock.sleep(500 * 2 ** attempt, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  async function post(body: Buffer): Promise<void> {
    const { token } = configuration;
    const response = await transport.send({
      method: 'POST',
      url: new URL(configuration.url),
      headers: {
        'content-type': 'application/json',
        'content-length': String(body.length),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body,
      signal: AbortSignal.any([over.signal, AbortSignal.timeout(timeoutMs)]),
    });
    for await (const chunk of response.body) void chunk;
    const { status } = response;
    if (status >= 200 && status < 300) return;
    // https://opentelemetry.io/docs/specs/otlp/#failures-1: these and no others are tried again.
    const code = [429, 502, 503, 504].includes(status) ? 'unavailable' : 'traces_refused';
    throw new TaplineError(code, `${configuration.url} answered ${status}`);
  }

  return {
    export(spans, resource) {
      for (const span of spans) waiting.push({ span, resource });
      const surplus = waiting.length - maxWaiting;
      if (surplus > 0) metrics.spans('dropped', waiting.splice(0, surplus).length);
      if (waiting.length > 0) woken.resolve();
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new TaplineError('stopped', 'the control plane is stopping'));
      woken.resolve();
      const done = new AbortController();
      const late = clock.sleep(lastMs, { signal: done.signal }).then(
        () => over.abort(new TaplineError('stopped', 'the control plane is stopping')),
        () => undefined,
      );
      await running;
      done.abort();
      await late;
      if (waiting.length > 0) metrics.spans('dropped', waiting.length);
    },
  };
}
