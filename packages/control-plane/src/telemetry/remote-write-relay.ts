import { type Clock, errorMessage, type Log, TaplineError } from '@tapline/base';
import type { HttpTransport } from '@tapline/registry';
import { checkWriteRequest, decompressSnappy, joinSnappy } from '@tapline/telemetry';
import type { RemoteWriteConfiguration } from '../monitoring/monitoring-configuration.ts';
import { SeriesBook } from './series-book.ts';
import type { TelemetryMetrics } from './telemetry-metrics.ts';

/** Passes on what devices write, to the Prometheus of their site. */
export interface RemoteWriteRelay extends AsyncDisposable {
  /**
   * Resolves when the Prometheus has it, or will never take it. Throws `remote_write_refused` for what is
   * not as it has to be, `unavailable` where it is to be sent again later.
   */
  write(device: string, body: Uint8Array): Promise<void>;
}

/** So long a request waits for others that go with it. */
const gatherMs = 100;
const maxBatchBytes = 1024 * 1024;
const maxBatch = 500;
/** Of one request of a device, not compressed. */
export const maxWriteBytes: number = 1024 * 1024;
/** A device that was away sends what it kept; Prometheus takes nothing older than its head. */
const oldestMs = 3_600_000;
const newestMs = 600_000;
const timeoutMs = 30_000;

interface Waiting {
  readonly device: string;
  readonly block: Uint8Array;
  readonly series: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function createRemoteWriteRelay(init: {
  readonly configuration: RemoteWriteConfiguration;
  readonly transport: HttpTransport;
  readonly metrics: TelemetryMetrics;
  readonly clock: Clock;
  readonly log: Log;
}): RemoteWriteRelay {
  const { configuration, transport, metrics, clock, log } = init;
  const book = new SeriesBook(configuration.seriesPerDevice);
  metrics.source(() => book.size);
  const stopping = new AbortController();
  const sending = new Set<Promise<void>>();
  let batch: Waiting[] = [];
  let batchBytes = 0;

  function check(device: string, body: Uint8Array): number {
    const nowMs = clock.now();
    const hashes: number[] = [];
    const series = checkWriteRequest(decompressSnappy(body, { maxBytes: maxWriteBytes }), {
      series: configuration.seriesPerDevice,
      labels: 20,
      nameBytes: 100,
      valueBytes: 300,
      identity: { instance: device, job: 'tapline-agents' },
      prefixes: ['tapline_', 'process_'],
      fromMs: nowMs - oldestMs,
      toMs: nowMs + newestMs,
      onSeries: (hash) => hashes.push(hash),
    });
    if (book.note(device, hashes, nowMs)) return series;
    throw new TaplineError(
      'remote_write_refused',
      `${device} has sent more than ${configuration.seriesPerDevice} different series`,
      { hint: 'a label of a metric has ever new values; seriesPerDevice in the configuration' },
    );
  }

  function flush(): void {
    if (batch.length === 0) return;
    const all = batch;
    batch = [];
    batchBytes = 0;
    const sent = deliver(all).finally(() => sending.delete(sent));
    sending.add(sent);
  }

  async function deliver(all: readonly Waiting[]): Promise<void> {
    try {
      const answer = await post(joinSnappy(all.map(({ block }) => block)));
      // It takes all or nothing of a request: who is at fault is found one by one.
      if (answer === 'refused' && all.length > 1) {
        for (const one of all) await deliver([one]);
        return;
      }
      for (const { device, series, resolve } of all) {
        if (answer === 'taken') metrics.samples(series);
        else log.warn('the Prometheus does not take what a device measured', { device });
        resolve();
      }
    } catch (error) {
      const unavailable = new TaplineError(
        'unavailable',
        `metrics cannot be passed on: ${errorMessage(error)}`,
        { cause: error, details: { retryable: true } },
      );
      for (const { reject } of all) reject(unavailable);
    }
  }

  async function post(body: Uint8Array): Promise<'taken' | 'refused'> {
    const { token } = configuration;
    const response = await transport.send({
      method: 'POST',
      url: new URL(configuration.url),
      headers: {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'snappy',
        'content-length': String(body.length),
        'user-agent': 'tapline',
        'x-prometheus-remote-write-version': '0.1.0',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      body,
      signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await firstBytes(response.body);
    const { status } = response;
    if (status >= 200 && status < 300) return 'taken';
    // The specification: only these are worth another try.
    if (status >= 500 || status === 429 || status === 401 || status === 403 || status === 404) {
      throw new TaplineError('unavailable', `${configuration.url} answered ${status}: ${text}`);
    }
    log.debug('remote write was refused', { status, text });
    return 'refused';
  }

  return {
    async write(device, body) {
      const series = check(device, body);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      batch.push({ device, block: body, series, resolve, reject });
      batchBytes += body.length;
      if (batch.length === 1) {
        clock.sleep(gatherMs, { signal: stopping.signal }).then(flush, () => flush());
      }
      if (batch.length >= maxBatch || batchBytes >= maxBatchBytes) flush();
      await promise;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new TaplineError('stopped', 'the control plane is stopping'));
      flush();
      await Promise.allSettled(sending);
    },
  };
}

async function firstBytes(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    if (size < 300) chunks.push(chunk);
    size += chunk.length;
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, 300).trim();
}
