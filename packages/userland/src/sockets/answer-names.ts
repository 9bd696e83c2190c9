import { viewOf } from '../memory/guest-memory.ts';

// RFC 1035.
const headerSize = 12;
const types = { a: 1, aaaa: 28 } as const;
const internet = 1;
const longestName = 253;
const ttlSeconds = 60;
const response = 0x8180;
const formatError = 1;
const noSuchName = 3;

interface Question {
  readonly name: string;
  readonly type: number;
  /** Where the question ends. */
  readonly end: number;
}

/** Answers a query for addresses of a name as a name server does; undefined for what is no query. */
export async function answerNames(
  query: Uint8Array,
  resolve: (name: string) => Promise<readonly string[]>,
): Promise<Uint8Array | undefined> {
  if (query.length < headerSize) return undefined;
  const view = viewOf(query);
  if ((view.getUint16(2) & 0x8000) !== 0) return undefined;
  const question = readQuestion(query);
  if (question === undefined) return reply(query, headerSize, { code: formatError, records: [] });
  let found: readonly string[];
  try {
    found = await resolve(question.name);
  } catch {
    found = [];
  }
  const records = found.flatMap((address) => {
    const bytes = addressBytes(address);
    const wanted = question.type === types.a ? 4 : question.type === types.aaaa ? 16 : 0;
    return bytes !== undefined && bytes.length === wanted ? [bytes] : [];
  });
  const code = found.length === 0 ? noSuchName : 0;
  return reply(query, question.end, { code, records, type: question.type });
}

function readQuestion(query: Uint8Array): Question | undefined {
  const labels: string[] = [];
  let at = headerSize;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > 63) return undefined;
    at++;
    if (length === 0) break;
    const label = query.subarray(at, at + length);
    if (label.length < length) return undefined;
    labels.push(new TextDecoder().decode(label));
    at += length;
  }
  const name = labels.join('.');
  if (name.length > longestName || at + 4 > query.length) return undefined;
  return { name, type: viewOf(query).getUint16(at), end: at + 4 };
}

function reply(
  query: Uint8Array,
  questionEnd: number,
  answer: {
    readonly code: number;
    readonly records: readonly Uint8Array[];
    readonly type?: number;
  },
): Uint8Array {
  const size = answer.records.reduce((total, { length }) => total + 12 + length, questionEnd);
  const bytes = new Uint8Array(size);
  bytes.set(query.subarray(0, questionEnd));
  const view = viewOf(bytes);
  view.setUint16(2, response | answer.code);
  view.setUint16(4, questionEnd > headerSize ? 1 : 0);
  view.setUint16(6, answer.records.length);
  view.setUint32(8, 0);
  let at = questionEnd;
  for (const record of answer.records) {
    // A pointer to the name in the question.
    view.setUint16(at, 0xc000 | headerSize);
    view.setUint16(at + 2, answer.type ?? types.a);
    view.setUint16(at + 4, internet);
    view.setUint32(at + 6, ttlSeconds);
    view.setUint16(at + 10, record.length);
    bytes.set(record, at + 12);
    at += 12 + record.length;
  }
  return bytes;
}

function words(text: string): string[] {
  return text === '' ? [] : text.split(':');
}

function addressBytes(address: string): Uint8Array | undefined {
  if (!address.includes(':')) {
    const parts = address.split('.').map(Number);
    return parts.length === 4 ? Uint8Array.from(parts) : undefined;
  }
  const [head = '', tail] = address.split('::');
  const before = words(head);
  const after = tail === undefined ? [] : words(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const bytes = new Uint8Array(16);
  for (const [index, word] of [...before, ...zeros, ...after].entries()) {
    viewOf(bytes).setUint16(index * 2, Number.parseInt(word, 16));
  }
  return bytes;
}
