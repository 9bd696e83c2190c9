import { formatHead } from '../http1/format-head.ts';
import { parseRange, resolveRange } from '../rfc/byte-range.ts';
import { type CacheOutcome, formatCacheStatus } from '../rfc/cache-status.ts';
import type { HeaderField, HeaderFields } from '../rfc/header-fields.ts';
import { isNotModified, rangeIsOfStored } from '../rfc/preconditions.ts';
import type { MemoryResponse } from '../store/memory-tier.ts';
import { currentAgeMs, type StoredHead } from '../store/stored-response.ts';
import type { EdgeRequest, PreparedAnswer } from './exchange.ts';
import type { RequestHints } from './request-hints.ts';

/** What is sent of a kept response: the head, and which bytes of the kept body. */
export interface AnswerPlan {
  readonly status: number;
  readonly fields: HeaderFields;
  /** Undefined where no body is sent. */
  readonly span: { readonly start: number; readonly end: number } | undefined;
}

export interface PlanInput {
  readonly head: StoredHead;
  readonly bodyBytes: number;
  readonly request: Pick<EdgeRequest, 'method' | 'fields'>;
  readonly hints: RequestHints;
  readonly nowMs: number;
  readonly cacheName: string;
  readonly outcome: CacheOutcome;
}

/** Below it a body goes out in one piece with its head. */
const joinedBytes = 32 * 1024;
const notIn304 = /^content-(?!location$)/;

/** Undefined where a kept part does not hold what was asked for. */
export function planAnswer(input: PlanInput): AnswerPlan | undefined {
  const { head, bodyBytes, request, hints } = input;
  const head200 = head.status === 200 && head.part === undefined;
  const known = fieldsOf(input);
  if (
    hints.conditional &&
    (head200 || head.part !== undefined) &&
    isNotModified(request.fields, head)
  ) {
    return { status: 304, fields: known.filter(([name]) => !notIn304.test(name)), span: undefined };
  }
  const wanted =
    request.method === 'GET' && (head200 || head.part !== undefined)
      ? parseRange(hints.range)
      : undefined;
  if (head.part !== undefined) return planPart(input, known, wanted);
  if (wanted !== undefined && rangeIsOfStored(request.fields, head)) {
    const span = resolveRange(wanted, bodyBytes);
    const others = known.filter(([name]) => name !== 'content-length');
    if (span === undefined) {
      return {
        status: 416,
        fields: [
          ...others.filter(([name]) => !notIn304.test(name)),
          ['content-range', `bytes */${bodyBytes}`],
          ['content-length', '0'],
        ],
        span: undefined,
      };
    }
    return {
      status: 206,
      fields: [
        ...others,
        ['content-range', `bytes ${span.start}-${span.end - 1}/${bodyBytes}`],
        ['content-length', String(span.end - span.start)],
      ],
      span,
    };
  }
  return {
    status: head.status,
    fields: known,
    span:
      request.method === 'HEAD' || head.status === 204 ? undefined : { start: 0, end: bodyBytes },
  };
}

/** The plain answer to a GET in the form of HTTP/1.1, made once in a second. */
export function preparedAnswer(
  entry: MemoryResponse,
  input: Omit<PlanInput, 'head' | 'bodyBytes' | 'outcome' | 'request' | 'hints'> & {
    readonly ttlMs: number;
  },
): PreparedAnswer {
  const second = Math.floor(currentAgeMs(entry.head, input.nowMs) / 1000);
  if (entry.prepared?.second === second) return entry.prepared.answer;
  const fields = fieldsOf({
    head: entry.head,
    bodyBytes: entry.body.length,
    nowMs: input.nowMs,
    cacheName: input.cacheName,
    outcome: { kind: 'hit', ttlSeconds: input.ttlMs / 1000 },
  });
  const answer = wireAnswer(entry.head.status, fields, entry.body);
  entry.prepared = { second, answer };
  return answer;
}

/** A whole answer in the form of HTTP/1.1. */
export function wireAnswer(status: number, fields: HeaderFields, body: Buffer): PreparedAnswer {
  const head = Buffer.from(`${formatHead(status, fields)}\r\n`, 'latin1');
  return body.length <= joinedBytes
    ? { head: Buffer.concat([head, body]), body: undefined }
    : { head, body };
}

/** The fields of an answer with the whole body. */
export function fieldsOf(
  input: Pick<PlanInput, 'head' | 'nowMs' | 'cacheName' | 'outcome'> & {
    /** Undefined where it is not known yet. */
    readonly bodyBytes: number | undefined;
  },
): HeaderFields {
  const { head, outcome } = input;
  const fields: HeaderField[] = head.fields.filter(([name]) => name !== 'content-length');
  const ageMs = currentAgeMs(head, input.nowMs);
  // Straight from the origin and without an age of its own it says none.
  if (Number.isFinite(ageMs) && (outcome.kind === 'hit' || ageMs >= 1000)) {
    fields.push(['age', String(Math.floor(ageMs / 1000))]);
  }
  fields.push(['cache-status', formatCacheStatus(input.cacheName, outcome)]);
  if (input.bodyBytes !== undefined && head.status !== 204) {
    fields.push(['content-length', String(input.bodyBytes)]);
  }
  return fields;
}

function planPart(
  { head, bodyBytes, request }: PlanInput,
  known: HeaderFields,
  wanted: ReturnType<typeof parseRange>,
): AnswerPlan | undefined {
  const { part } = head;
  if (part === undefined || wanted === undefined || !rangeIsOfStored(request.fields, head)) {
    return undefined;
  }
  // A suffix counts from the end of the whole, so that has to be known.
  if (part.total === undefined && (wanted.kind === 'suffix' || wanted.last === undefined)) {
    return undefined;
  }
  const span = resolveRange(wanted, part.total ?? Number.MAX_SAFE_INTEGER);
  if (span === undefined || span.start < part.start || span.end > part.start + bodyBytes) {
    return undefined;
  }
  const others = known.filter(([name]) => name !== 'content-range' && name !== 'content-length');
  return {
    status: 206,
    fields: [
      ...others,
      ['content-range', `bytes ${span.start}-${span.end - 1}/${part.total ?? '*'}`],
      ['content-length', String(span.end - span.start)],
    ],
    span: { start: span.start - part.start, end: span.end - part.start },
  };
}
