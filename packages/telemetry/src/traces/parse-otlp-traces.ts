import { TaplineError } from '@tapline/base';
import { z } from 'zod';
import type { Span } from './span.ts';

const text = z.string().max(300);
const nano = z.string().regex(/^\d{1,19}$/);
const value = z.union([
  z.strictObject({ stringValue: text }).transform(({ stringValue }) => stringValue),
  z.strictObject({ boolValue: z.boolean() }).transform(({ boolValue }) => boolValue),
  z
    .strictObject({ intValue: z.string().regex(/^-?\d{1,15}$/) })
    .transform(({ intValue }) => Number(intValue)),
  z.strictObject({ doubleValue: z.number() }).transform(({ doubleValue }) => doubleValue),
]);
const attributes = z.array(z.strictObject({ key: z.string().min(1).max(100), value })).max(20);

const span = z.strictObject({
  traceId: z.string().regex(/^(?!0{32})[0-9a-f]{32}$/),
  spanId: z.string().regex(/^(?!0{16})[0-9a-f]{16}$/),
  parentSpanId: z
    .string()
    .regex(/^(?!0{16})[0-9a-f]{16}$/)
    .optional(),
  name: z.string().min(1).max(100),
  kind: z.int().min(0).max(5),
  startTimeUnixNano: nano,
  endTimeUnixNano: nano,
  attributes,
  status: z.strictObject({ code: z.int().min(0).max(2), message: text.optional() }).optional(),
});

const document = z.strictObject({
  resourceSpans: z
    .array(
      z.strictObject({
        // Who sends says who it is by its certificate.
        resource: z.unknown(),
        scopeSpans: z
          .array(z.strictObject({ scope: z.unknown(), spans: z.array(span).max(100) }))
          .max(1),
      }),
    )
    .max(1),
});

/** The spans that `otlpTraces` wrote, from who is not trusted to. Throws `traces_refused`. */
export function parseOtlpTraces(json: unknown): readonly Span[] {
  const parsed = document.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TaplineError(
      'traces_refused',
      `these spans are not taken: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  }
  return parsed.data.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((one) => ({
        traceId: one.traceId,
        spanId: one.spanId,
        parentSpanId: one.parentSpanId,
        name: one.name,
        startMs: Number(one.startTimeUnixNano) / 1e6,
        endMs: Number(one.endTimeUnixNano) / 1e6,
        attributes: Object.fromEntries(one.attributes.map(({ key, value: is }) => [key, is])),
        error: one.status?.code === 2 ? (one.status.message ?? 'failed') : undefined,
      })),
    ),
  );
}
