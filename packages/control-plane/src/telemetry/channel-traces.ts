import { createHash } from 'node:crypto';
import { type Channel, channelSteps } from '@tapline/resources';
import { parseTraceParent, type Span, traceParentAnnotation } from '@tapline/telemetry';

/**
 * A channel that became ready: its span, and below it one of each step on the way, one after the other.
 * The trace is that of the command that applied it, or one of its own by its uid.
 */
export function channelSpans({ metadata, status = {} }: Channel): readonly Span[] {
  const { startedAt, stages = {}, template = '' } = status;
  const total = stages['total'];
  if (startedAt === undefined || total === undefined) return [];
  const given = parseTraceParent(metadata.annotations?.[traceParentAnnotation]);
  const digits = (metadata.uid ?? '').replaceAll('-', '').toLowerCase();
  const own = /^(?!0{32})[0-9a-f]{32}$/.test(digits) ? digits : idOf(metadata.name, 32);
  const traceId = given?.traceId ?? own;
  const spanId = idOf(`${traceId} channel ${metadata.name} ${template}`, 16);
  const startMs = Date.parse(startedAt);
  const attributes = { 'tapline.channel': metadata.name };
  let beforeMs = startMs;
  const steps = channelSteps.flatMap((type): readonly Span[] => {
    const name = type.toLowerCase();
    const seconds = stages[name];
    if (seconds === undefined) return [];
    const fromMs = beforeMs;
    beforeMs += seconds * 1000;
    const id = idOf(`${spanId} ${name}`, 16);
    const times = { startMs: fromMs, endMs: beforeMs };
    return [{ traceId, spanId: id, parentSpanId: spanId, name, ...times, attributes }];
  });
  const endMs = startMs + total * 1000;
  const parentSpanId = given?.spanId;
  return [{ traceId, spanId, parentSpanId, name: 'channel', startMs, endMs, attributes }, ...steps];
}

function idOf(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
