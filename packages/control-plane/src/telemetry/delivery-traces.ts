import { createHash } from 'node:crypto';
import type { Delivery, Install } from '@tapline/resources';
import {
  formatTraceParent,
  parseTraceParent,
  type Span,
  type TraceContext,
  traceParentAnnotation,
} from '@tapline/telemetry';

/**
 * The trace of a delivery: the command's that made it, or one of its own by its uid. Ids of spans follow
 * from what they are of, so that nothing has to be remembered and what is told twice is the same.
 */
export function deliveryTrace({ metadata }: Delivery): TraceContext {
  const given = parseTraceParent(metadata.annotations?.[traceParentAnnotation]);
  if (given !== undefined) return given;
  const digits = (metadata.uid ?? '').replaceAll('-', '').toLowerCase();
  return { traceId: /^(?!0{32})[0-9a-f]{32}$/.test(digits) ? digits : idOf(metadata.name, 32) };
}

/** What the Install of a delivery carries: below its span are those of the device. */
export function installTraceParent(
  delivery: Delivery,
  install: { readonly name: string; readonly revision: number },
): string {
  const { traceId } = deliveryTrace(delivery);
  const spanId = idOf(`${traceId} install ${install.name} ${install.revision}`, 16);
  return formatTraceParent({ traceId, spanId });
}

/** The trace of an Install, and its span; undefined where it has none. */
export function installTrace({ metadata }: Install): Required<TraceContext> | undefined {
  return parseTraceParent(metadata.annotations?.[traceParentAnnotation]);
}

/** A revision that is complete: its span, and below it those of its package. */
export function deliverySpans(delivery: Delivery): readonly Span[] {
  const { metadata, spec, status = {} } = delivery;
  const { acceptedAt, completedAt, revision = 0, version, packageStages = {}, counts } = status;
  if (acceptedAt === undefined || completedAt === undefined) return [];
  const { traceId, spanId: parentSpanId } = deliveryTrace(delivery);
  const spanId = deliverySpanId(traceId, delivery.metadata.name, revision);
  const startMs = Date.parse(acceptedAt);
  const attributes = { 'tapline.delivery': metadata.name, 'tapline.revision': revision };
  let before = startMs;
  const stages = ['resolved', 'built', 'published'].flatMap((name): readonly Span[] => {
    const seconds = packageStages[name];
    if (seconds === undefined) return [];
    const from = before;
    before += seconds * 1000;
    const id = idOf(`${spanId} ${name}`, 16);
    return [
      { traceId, spanId: id, parentSpanId: spanId, name, startMs: from, endMs: before, attributes },
    ];
  });
  return [
    {
      traceId,
      spanId,
      parentSpanId,
      name: 'delivery',
      startMs,
      endMs: Date.parse(completedAt),
      attributes: {
        ...attributes,
        'tapline.formula': spec.package.formula,
        ...(version !== undefined && { 'tapline.version': version }),
        'tapline.devices': counts?.desired ?? 0,
      },
    },
    ...stages,
  ];
}

/**
 * An Install that became ready: from its being written until its status came, by the control plane's
 * clock, with the time until the device heard of it. The device tells of its own stages below.
 */
export function installSpans(
  install: Install,
  about: { readonly notifiedSeconds: number; readonly nowMs: number },
): readonly Span[] {
  const { spec, metadata, status } = install;
  const trace = installTrace(install);
  if (trace === undefined) return [];
  const { traceId, spanId } = trace;
  const total = about.notifiedSeconds + (status?.stages?.['total'] ?? 0);
  const startMs = about.nowMs - total * 1000;
  const attributes = {
    'tapline.install': metadata.name,
    'tapline.device': spec.device,
    'tapline.revision': spec.revision,
  };
  const notified = {
    traceId,
    spanId: idOf(`${spanId} notified`, 16),
    parentSpanId: spanId,
    name: 'notified',
    startMs,
    endMs: startMs + about.notifiedSeconds * 1000,
    attributes,
  };
  const parentSpanId = deliverySpanId(traceId, spec.delivery, spec.revision);
  return [
    { traceId, spanId, parentSpanId, name: 'install', startMs, endMs: about.nowMs, attributes },
    notified,
  ];
}

function deliverySpanId(traceId: string, name: string, revision: number): string {
  return idOf(`${traceId} delivery ${name} ${revision}`, 16);
}

function idOf(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
