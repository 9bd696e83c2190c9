import { seededRng } from '@tapline/base';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { otlpTraces } from './otlp-traces.ts';
import { parseOtlpTraces } from './parse-otlp-traces.ts';
import type { Span } from './span.ts';
import { formatTraceParent, newSpanId, newTraceId, parseTraceParent } from './trace-context.ts';

const rng = seededRng(1);
const span: Span = {
  traceId: newTraceId(rng),
  spanId: newSpanId(rng),
  parentSpanId: newSpanId(rng),
  name: 'pulled',
  startMs: 1_800_000_000_000.25,
  endMs: 1_800_000_000_012.5,
  attributes: { device: 'edge-1', bytes: 1234, ratio: 0.5, cached: true },
  error: 'no space',
};

test('a context survives the way over an annotation; anything else is none', () => {
  const context = { traceId: span.traceId, spanId: span.spanId };
  expect(parseTraceParent(formatTraceParent(context))).toEqual(context);
  const zeros = `00-${'0'.repeat(32)}-${span.spanId}-01`;
  for (const text of [undefined, '', 'x', zeros, `01-${span.traceId}-${span.spanId}-01`]) {
    expect(parseTraceParent(text)).toBeUndefined();
  }
});

test('times are nanoseconds as text, ids base 16, as OTLP has them in JSON', () => {
  expect(otlpTraces([span], { 'service.name': 'tapline-agent' })).toMatchObject({
    resourceSpans: [
      {
        resource: {
          attributes: [{ key: 'service.name', value: { stringValue: 'tapline-agent' } }],
        },
        scopeSpans: [
          {
            spans: [
              {
                traceId: span.traceId,
                startTimeUnixNano: '1800000000000250000',
                endTimeUnixNano: '1800000000012500000',
                status: { code: 2, message: 'no space' },
                attributes: [
                  { key: 'device', value: { stringValue: 'edge-1' } },
                  { key: 'bytes', value: { intValue: '1234' } },
                  { key: 'ratio', value: { doubleValue: 0.5 } },
                  { key: 'cached', value: { boolValue: true } },
                ],
              },
            ],
          },
        ],
      },
    ],
  });
});

test('what was written is read; of anything else there is a refusal', () => {
  const written: unknown = JSON.parse(JSON.stringify(otlpTraces([span], {})));
  expect(parseOtlpTraces(written)).toEqual([span]);
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      expect(() => parseOtlpTraces(json)).toThrow('these spans are not taken');
    }),
  );
  const many = otlpTraces(
    Array.from({ length: 101 }, () => span),
    {},
  );
  expect(() => parseOtlpTraces(many)).toThrow('not taken');
});
