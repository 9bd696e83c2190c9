import { type Clock, errorMessage, isRecord, TaplineError } from '@tapline/base';
import { type Flag, textFlag } from '../framework/flag.ts';
import type { Answer, MetricQuery, MetricSample } from '@tapline/opsbot';

export const prometheusFlag: Flag<string | undefined> = textFlag(
  'A Prometheus whose metrics are part of answers',
  { valueName: 'URL' },
);

/** How long a Prometheus may think about one question, all of its queries together. */
const withinMs = 5000;
/** How many series of a query are read; Prometheus 2.54 and later stop there by themselves. */
const maxSeries = 20;
const maxBytes = 256 * 1024;

/** An address of a Prometheus, without what is after its path. Throws `usage`. */
export function parsePrometheus(text: string): URL {
  const url = URL.parse(text);
  const isWeb = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url !== null && isWeb && url.username === '' && url.search === '') return url;
  throw new TaplineError('usage', `${JSON.stringify(text)} is no address of a Prometheus`, {
    hint: 'write it as http://prometheus.example.net:9090',
  });
}

/**
 * What a Prometheus says, with where it is to be seen: instant queries only, of bounded time and size.
 * One that does not answer is said, and the rest of the answer stands.
 */
export async function askPrometheus(
  prometheus: URL,
  queries: readonly MetricQuery[],
  init: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Answer> {
  const signal = AbortSignal.any([init.signal, AbortSignal.timeout(withinMs)]);
  const lines: string[] = [];
  const evidence: Answer['evidence'][number][] = [];
  for (const { expr, says } of queries) {
    try {
      const samples = await query(prometheus, expr, signal);
      if (samples.length === 0) continue;
      lines.push(...samples.map((sample) => `Prometheus: ${says(sample)}.`));
      evidence.push({ says: expr, command: graphUrl(prometheus, expr) });
    } catch (error) {
      init.signal.throwIfAborted();
      lines.push(`Prometheus does not answer: ${errorMessage(error)}.`);
      break;
    }
  }
  return { lines, evidence };
}

async function query(
  prometheus: URL,
  expr: string,
  signal: AbortSignal,
): Promise<readonly MetricSample[]> {
  const url = below(prometheus, 'api/v1/query');
  url.search = new URLSearchParams({
    query: expr,
    timeout: '2s',
    limit: String(maxSeries),
  }).toString();
  const response = await fetch(url, { signal, redirect: 'error' });
  let text = '';
  for await (const part of (response.body ?? new ReadableStream<Uint8Array>()).pipeThrough(
    new TextDecoderStream(),
  )) {
    text += part;
    if (text.length > maxBytes) {
      throw new TaplineError('query_too_large', `the answer exceeds ${maxBytes} bytes`);
    }
  }
  if (!response.ok) throw new TaplineError('unavailable', `it answers ${response.status}`);
  return samplesIn(JSON.parse(text)).slice(0, maxSeries);
}

// https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries
function samplesIn(answer: unknown): readonly MetricSample[] {
  const data = isRecord(answer) ? answer['data'] : undefined;
  const result = isRecord(data) ? data['result'] : undefined;
  if (!Array.isArray(result)) throw new TaplineError('unavailable', 'it is no Prometheus');
  return result.flatMap((one: unknown): readonly MetricSample[] => {
    if (!isRecord(one) || !isRecord(one['metric']) || !Array.isArray(one['value'])) return [];
    const labels = Object.entries(one['metric']).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value.slice(0, 253)] as const] : [],
    );
    const value = Number(one['value'][1]);
    return Number.isFinite(value) ? [{ labels: Object.fromEntries(labels), value }] : [];
  });
}

function graphUrl(prometheus: URL, expr: string): string {
  const url = below(prometheus, 'graph');
  url.search = new URLSearchParams({ 'g0.expr': expr }).toString();
  return url.href;
}

function below(prometheus: URL, path: string): URL {
  return new URL(path, prometheus.href.endsWith('/') ? prometheus : `${prometheus.href}/`);
}
