export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Something that took a time, as part of a trace. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string | undefined;
  readonly name: string;
  /** By the clock of who says it. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  /** Absent: it went well, or nobody knows. */
  readonly error?: string | undefined;
}
