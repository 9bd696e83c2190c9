import { seededRng } from '@tapline/base';
import { expect, test } from 'vitest';
import { installSpans } from './install-spans.ts';

const traceId = 'a'.repeat(32);
const spanId = 'b'.repeat(16);
const about = {
  traceParent: `00-${traceId}-${spanId}-01`,
  device: 'edge-1',
  install: 'edge-1.jq',
  revision: 3,
  stages: { pulled: 0.5, unpacked: 0.25, started: 0.125, ready: 0.125, total: 1 },
  error: undefined,
  endMs: 10_000,
  seconds: 1,
};

test('stages lie one after the other, end with the attempt, and are below the span of the Install', () => {
  const spans = installSpans(about, seededRng(1));
  expect(spans.map(({ name, startMs, endMs }) => [name, startMs, endMs])).toEqual([
    ['pulled', 9000, 9500],
    ['unpacked', 9500, 9750],
    ['started', 9750, 9875],
    ['ready', 9875, 10_000],
  ]);
  for (const span of spans) expect(span).toMatchObject({ traceId, parentSpanId: spanId });
  expect(new Set(spans.map((span) => span.spanId)).size).toBe(4);
});

test('an attempt that failed says so after what it came to; without a trace there is nothing', () => {
  const failed = { ...about, stages: { pulled: 0.5 }, error: 'no space' };
  expect(installSpans(failed, seededRng(1))).toMatchObject([
    { name: 'pulled', endMs: 9500 },
    { name: 'failed', startMs: 9500, endMs: 10_000, error: 'no space' },
  ]);
  expect(installSpans({ ...about, traceParent: undefined }, seededRng(1))).toEqual([]);
});
