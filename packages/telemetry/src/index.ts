// Public API; named exports only.
export {
  exposition,
  expositionEnd,
  type MetricJson,
  type MetricsFormat,
  metricsFormat,
  metricsTypes,
} from './exposition.ts';
export { checkWriteRequest, type WriteLimits } from './remote-write/check-write-request.ts';
export { encodeWriteRequest, type Series } from './remote-write/encode-write-request.ts';
export { seriesOf } from './series-of.ts';
export { compressSnappy } from './snappy/compress-snappy.ts';
export { decompressSnappy } from './snappy/decompress-snappy.ts';
export { joinSnappy } from './snappy/join-snappy.ts';
export { otlpTraces } from './traces/otlp-traces.ts';
export { parseOtlpTraces } from './traces/parse-otlp-traces.ts';
export type { Span, SpanAttributes } from './traces/span.ts';
export {
  formatTraceParent,
  newSpanId,
  newTraceId,
  parseTraceParent,
  type TraceContext,
  traceParentAnnotation,
} from './traces/trace-context.ts';
