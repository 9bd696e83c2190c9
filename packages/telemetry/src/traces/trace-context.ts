import type { Rng } from '@tapline/base';

/** Which trace, and below which span. */
export interface TraceContext {
  /** 32 digits, base 16. */
  readonly traceId: string;
  /** 16 digits, base 16; absent: at the top. */
  readonly spanId?: string;
}

/** Where an object carries the trace that it is part of. */
export const traceParentAnnotation = 'tapline.dev/traceparent';

export function newTraceId(rng: Rng): string {
  return digits(rng, 32);
}

export function newSpanId(rng: Rng): string {
  return digits(rng, 16);
}

/** https://www.w3.org/TR/trace-context/: version 00, sampled. */
export function formatTraceParent({
  traceId,
  spanId,
}: {
  readonly traceId: string;
  readonly spanId: string;
}): string {
  return `00-${traceId}-${spanId}-01`;
}

/** Undefined for what is none, and for all zeros, which the specification forbids. */
export function parseTraceParent(text: string | undefined): Required<TraceContext> | undefined {
  const [, traceId, spanId] =
    /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/.exec(text ?? '') ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

function digits(rng: Rng, count: number): string {
  for (;;) {
    const text = Array.from({ length: count }, () => Math.floor(rng() * 16).toString(16)).join('');
    if (/[^0]/.test(text)) return text;
  }
}
