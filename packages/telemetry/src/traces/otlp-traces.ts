import type { Span, SpanAttributes } from './span.ts';

const spanKindInternal = 1;
const statusError = 2;

/**
 * Spans of one program as OTLP's JSON, https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
 * `resource` has `service.name` and what else says which one it is.
 */
export function otlpTraces(spans: readonly Span[], resource: SpanAttributes): unknown {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes(resource) },
        scopeSpans: [{ scope: { name: 'tapline' }, spans: spans.map(spanDocument) }],
      },
    ],
  };
}

function spanDocument(span: Span): unknown {
  const { traceId, spanId, parentSpanId, name, startMs, endMs, error } = span;
  return {
    traceId,
    spanId,
    ...(parentSpanId !== undefined && { parentSpanId }),
    name,
    kind: spanKindInternal,
    startTimeUnixNano: nanoseconds(startMs),
    endTimeUnixNano: nanoseconds(Math.max(startMs, endMs)),
    attributes: attributes(span.attributes),
    ...(error !== undefined && { status: { code: statusError, message: error } }),
  };
}

/** A decimal string: JSON's numbers lose the last digits. */
function nanoseconds(ms: number): string {
  return (BigInt(Math.round(ms * 1000)) * 1000n).toString();
}

function attributes(all: SpanAttributes): readonly unknown[] {
  return Object.entries(all).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: string | number | boolean): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
