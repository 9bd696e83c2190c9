import { errorMessage, type Rng } from '@tapline/base';
import {
  formatTraceParent,
  newSpanId,
  newTraceId,
  otlpTraces,
  parseTraceParent,
  type Span,
} from '@tapline/telemetry';
import type { Console } from '../framework/console.ts';

/** A command as the top of a trace, which goes on in the control plane and on devices. */
export interface CommandTrace {
  readonly traceId: string;
  /** What objects carry that the command makes. */
  readonly traceParent: string;
  /** Whether the environment says to whom it is sent. */
  readonly isSent: boolean;
  /** Does something as a part of the command. */
  measure<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Sends the spans, where the environment says to whom. Whoever does not answer is only told of. */
  end(error?: unknown): Promise<void>;
}

const exportMs = 5000;

/** A part of the trace in TRACEPARENT where that is set, as by who runs the command for others. */
function beginTrace(
  name: string,
  { console, rng }: { readonly console: Console; readonly rng: Rng },
): CommandTrace {
  const { clock, environment } = console;
  const parent = parseTraceParent(environment['TRACEPARENT']);
  const traceId = parent?.traceId ?? newTraceId(rng);
  const spanId = newSpanId(rng);
  const startMs = clock.now();
  const spans: Span[] = [];
  return {
    traceId,
    isSent: collectorOf(environment) !== undefined,
    traceParent: formatTraceParent({ traceId, spanId }),
    async measure(part, work) {
      const fromMs = clock.now();
      try {
        return await work();
      } finally {
        const about = { traceId, spanId: newSpanId(rng), parentSpanId: spanId, attributes: {} };
        spans.push({ ...about, name: part, startMs: fromMs, endMs: clock.now() });
      }
    },
    async end(error) {
      const url = collectorOf(environment);
      if (url === undefined) return;
      const root: Span = {
        traceId,
        spanId,
        parentSpanId: parent?.spanId,
        name,
        startMs,
        endMs: clock.now(),
        attributes: {},
        error: error === undefined ? undefined : errorMessage(error),
      };
      const body = JSON.stringify(otlpTraces([root, ...spans], { 'service.name': 'tapline-cli' }));
      try {
        const headers = { 'content-type': 'application/json', ...headersOf(environment) };
        const signal = AbortSignal.timeout(exportMs);
        const answer = await fetch(url, { method: 'POST', headers, body, signal });
        await answer.arrayBuffer();
        if (answer.ok) console.note(`trace ${traceId}\n`);
        else console.note(`the trace was not taken: ${url.host} answered ${answer.status}\n`);
      } catch (cause) {
        console.note(`the trace was not taken: ${url.host}: ${errorMessage(cause)}\n`);
      }
    },
  };
}

/** Does a command within a trace of its own, which ends with it. */
export async function inTrace<T>(
  name: string,
  init: Parameters<typeof beginTrace>[1],
  work: (trace: CommandTrace) => Promise<T>,
): Promise<T> {
  const trace = beginTrace(name, init);
  let result: T;
  try {
    result = await work(trace);
  } catch (error) {
    await trace.end(error);
    throw error;
  }
  await trace.end();
  return result;
}

/** OpenTelemetry's own variables: one for all signals, and one for traces that wins. */
function collectorOf(environment: Console['environment']): URL | undefined {
  const traces = environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
  const all = environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const text = traces || (all ? `${all.replace(/\/$/, '')}/v1/traces` : undefined);
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
}

/** `name=value,name=value`, each percent-encoded. */
function headersOf(environment: Console['environment']): Readonly<Record<string, string>> {
  const text =
    environment['OTEL_EXPORTER_OTLP_TRACES_HEADERS'] ?? environment['OTEL_EXPORTER_OTLP_HEADERS'];
  return Object.fromEntries(
    (text ?? '').split(',').flatMap((pair): (readonly [string, string])[] => {
      const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
      return name === undefined || value === undefined ? [] : [[name, decoded(value)]];
    }),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
