import { TaplineError } from '@tapline/base';

/** A value in a JSON document with the path that error messages name. */
export interface JsonField {
  readonly value: unknown;
  readonly path: string;
  readonly code: string;
}

/** Parses a document of at most `maxBytes`; every error of it and its fields carries `code`. */
export function parseJsonDocument(
  input: Uint8Array | string,
  options: { readonly code: string; readonly name: string; readonly maxBytes: number },
): JsonField {
  const { code, name, maxBytes } = options;
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input;
  if (bytes.length > maxBytes) {
    throw new TaplineError(code, `${name} of ${bytes.length} bytes exceeds ${maxBytes}`);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { value: JSON.parse(text), path: name, code };
  } catch (cause) {
    throw new TaplineError(code, `${name} is not JSON in UTF-8`, { cause });
  }
}

export function invalidField(field: JsonField, expected: string): TaplineError {
  const { value, path, code } = field;
  const shown = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 120);
  return new TaplineError(code, `${path} must be ${expected}, not ${shown}`, {
    details: { field: path },
  });
}

/** The member `key` of an object; its value is undefined where it is absent. */
export function member(parent: JsonField, key: string): JsonField {
  const fields = readObject(parent);
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  return { value, path: `${parent.path}.${key}`, code: parent.code };
}

/** What `read` makes of the member `key`, undefined where it is absent or null (as Go writes it). */
export function optional<T>(
  parent: JsonField,
  key: string,
  read: (field: JsonField) => T,
): T | undefined {
  const field = member(parent, key);
  return field.value === undefined || field.value === null ? undefined : read(field);
}

export function readObject(field: JsonField): Readonly<Record<string, unknown>> {
  const { value } = field;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidField(field, 'an object');
  }
  return value as Readonly<Record<string, unknown>>;
}

export function readString(field: JsonField): string {
  if (typeof field.value !== 'string') throw invalidField(field, 'a string');
  return field.value;
}

export function readBoolean(field: JsonField): boolean {
  if (typeof field.value !== 'boolean') throw invalidField(field, 'true or false');
  return field.value;
}

export function readSize(field: JsonField): number {
  const { value } = field;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw invalidField(field, 'a whole number of bytes from 0 to 2^53-1');
  }
  return value;
}

export function readArray<T>(
  field: JsonField,
  options: { readonly max: number; readonly read: (item: JsonField) => T },
): readonly T[] {
  const { value, path, code } = field;
  if (!Array.isArray(value)) throw invalidField(field, 'an array');
  if (value.length > options.max) {
    throw new TaplineError(code, `${path} has ${value.length} items, more than ${options.max}`);
  }
  return value.map((item: unknown, index) =>
    options.read({ value: item, path: `${path}[${index}]`, code }),
  );
}

export function readStrings(field: JsonField): readonly string[] {
  return readArray(field, { max: 10_000, read: readString });
}

/** An object whose values `read` understands, keys as they are. */
export function readMap<T>(
  field: JsonField,
  read: (value: JsonField) => T,
): Readonly<Record<string, T>> {
  const { path, code } = field;
  const entries = Object.entries(readObject(field));
  if (entries.length > 10_000) {
    throw new TaplineError(code, `${path} has ${entries.length} entries, more than 10000`);
  }
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      read({ value, path: `${path}[${JSON.stringify(key)}]`, code }),
    ]),
  );
}

export function readStringMap(field: JsonField): Readonly<Record<string, string>> {
  return readMap(field, readString);
}
