import { createHash } from 'node:crypto';
import type { Remediation } from '@tapline/resources';
import { formatTraceParent, type Span, type TraceContext } from '@tapline/telemetry';

/** The trace of a remediation, by its uid: nothing has to be remembered, and what is told twice is the same. */
export function remediationTrace({ metadata }: Remediation): Required<TraceContext> {
  const digits = (metadata.uid ?? '').replaceAll('-', '').toLowerCase();
  const traceId = /^(?!0{32})[0-9a-f]{32}$/.test(digits) ? digits : idOf(metadata.name, 32);
  return { traceId, spanId: idOf(`${traceId} remediation`, 16) };
}

/** What a Delivery carries that a step of it changes: its spans are below that step's. */
export function stepTraceParent(remediation: Remediation, at: number): string {
  const { traceId, spanId } = remediationTrace(remediation);
  return formatTraceParent({ traceId, spanId: stepSpanId(spanId, at) });
}

/** A remediation that is over: from when it was looked at, with what it decided, did and checked. */
export function remediationSpans(remediation: Remediation): readonly Span[] {
  const { metadata, spec, status = {} } = remediation;
  const { acceptedAt, finishedAt, steps = [], plan = [], verifySince, phase } = status;
  if (acceptedAt === undefined || finishedAt === undefined) return [];
  const { traceId, spanId } = remediationTrace(remediation);
  const [startMs, endMs] = [Date.parse(acceptedAt), Date.parse(finishedAt)];
  const attributes = {
    'tapline.remediation': metadata.name,
    'tapline.playbook': spec.playbook,
    'tapline.target': `${spec.target.kind}/${spec.target.name}`,
  };
  const begun = steps.flatMap(({ startedAt }) => (startedAt === undefined ? [] : [startedAt]));
  const child = (name: string, id: string, times: readonly [number, number]): Span => ({
    traceId,
    spanId: id,
    parentSpanId: spanId,
    name,
    startMs: times[0],
    endMs: times[1],
    attributes,
  });
  const decidedMs = begun[0] === undefined ? endMs : Date.parse(begun[0]);
  const done = steps.flatMap(
    ({ startedAt, finishedAt: until, state, says }, at): readonly Span[] => {
      if (startedAt === undefined) return [];
      const times = [Date.parse(startedAt), Date.parse(until ?? finishedAt)] as const;
      const span = child(plan[at]?.action ?? 'step', stepSpanId(spanId, at), times);
      return [state === 'Failed' ? { ...span, error: says ?? 'failed' } : span];
    },
  );
  const root: Span = {
    traceId,
    spanId,
    name: 'remediation',
    startMs,
    endMs,
    attributes: { ...attributes, 'tapline.phase': phase ?? '' },
    ...(phase === 'Succeeded' ? {} : { error: status.outcome ?? phase ?? 'not done' }),
  };
  return [
    root,
    child('decide', idOf(`${spanId} decide`, 16), [startMs, decidedMs]),
    ...done,
    ...(verifySince === undefined
      ? []
      : [child('verify', idOf(`${spanId} verify`, 16), [Date.parse(verifySince), endMs])]),
  ];
}

function stepSpanId(spanId: string, at: number): string {
  return idOf(`${spanId} step ${at}`, 16);
}

function idOf(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
