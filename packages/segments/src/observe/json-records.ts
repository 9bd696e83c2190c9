import { isRecord, TaplineError } from '@tapline/base';

export type JsonRecord = Readonly<Record<string, unknown>>;

/** A node with 100,000 VNIs and their flood entries prints about 30 MB. */
const maxCharacters = 256 * 2 ** 20;
const maxFieldCharacters = 4096;

/** The error of every parser here: what a program printed is not what it prints. */
export function malformed(source: string, what: string): TaplineError {
  return new TaplineError('observation_invalid', `output of ${source}: ${what}`, {
    hint: 'run the command on the node and compare its version with those in the documentation',
  });
}

/** Throws `observation_invalid` for text that is longer than any node's. */
export function assertLength(output: string, source: string): void {
  if (output.length > maxCharacters) {
    throw malformed(source, `${output.length} characters exceed ${maxCharacters}`);
  }
}

/**
 * The objects of a JSON list. No output at all is an empty list, as the programs of iproute2 print
 * it where the kernel has nothing of the kind, and so are the empty objects that `ip` prints for
 * what it filtered.
 */
export function readRecords(output: string, source: string): readonly JsonRecord[] {
  assertLength(output, source);
  if (output.trim() === '') return [];
  return recordsOf(parseJson(output, source), source).filter(
    (record) => Object.keys(record).length > 0,
  );
}

export function parseJson(output: string, source: string): unknown {
  try {
    return JSON.parse(output) as unknown;
  } catch (cause) {
    throw malformed(source, `no JSON: ${String(cause).slice(0, 200)}`);
  }
}

export function recordsOf(value: unknown, source: string): readonly JsonRecord[] {
  if (!Array.isArray(value)) throw malformed(source, 'a list was expected');
  return value.map((entry: unknown) => {
    if (!isRecord(entry)) throw malformed(source, 'an object was expected in a list');
    return entry;
  });
}

export function optionalText(record: JsonRecord, key: string, source: string): string | undefined {
  const value = record[key];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.length > maxFieldCharacters) {
    throw malformed(source, `${key} is not a text of at most ${maxFieldCharacters} characters`);
  }
  return value;
}

export function text(record: JsonRecord, key: string, source: string): string {
  const value = optionalText(record, key, source);
  if (value === undefined) throw malformed(source, `${key} is missing`);
  return value;
}

export function optionalNumber(
  record: JsonRecord,
  key: string,
  source: string,
): number | undefined {
  const value = record[key];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw malformed(source, `${key} is not a whole number from 0`);
  }
  return value;
}

export function number(record: JsonRecord, key: string, source: string): number {
  const value = optionalNumber(record, key, source);
  if (value === undefined) throw malformed(source, `${key} is missing`);
  return value;
}

/** iproute2 prints a flag as true or false, as 0 or 1, or not at all. */
export function flag(record: JsonRecord, key: string, source: string): boolean {
  const value = record[key];
  if (value === undefined || value === false || value === 0) return false;
  if (value === true || value === 1) return true;
  throw malformed(source, `${key} is neither true nor false`);
}

export function optionalRecord(
  record: JsonRecord,
  key: string,
  source: string,
): JsonRecord | undefined {
  const value = record[key];
  if (value === undefined) return undefined;
  if (!isRecord(value)) throw malformed(source, `${key} is not an object`);
  return value;
}

export function texts(record: JsonRecord, key: string, source: string): readonly string[] {
  const value = record[key];
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw malformed(source, `${key} is not a list`);
  return value.map((entry: unknown) => {
    if (typeof entry !== 'string') throw malformed(source, `${key} holds something but texts`);
    return entry;
  });
}
