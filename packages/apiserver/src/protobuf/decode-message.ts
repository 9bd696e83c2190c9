import { badRequest } from '../api-error.ts';
import { setOwn } from '../fields/merge-fields.ts';
import type { FieldType, MessageType } from './message-types.ts';
import { WireReader } from './wire-reader.ts';

/**
 * A message as the JSON of the same object. Go's encoder writes unset strings and structs too: what
 * is empty is left out, as `omitempty` would. Fields that are not known are skipped.
 */
export function decodeMessage(bytes: Uint8Array, type: MessageType): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const reader = new WireReader(bytes);
  for (let field = reader.next(); field !== undefined; field = reader.next()) {
    const [name, fieldType] = type[field.number] ?? [];
    if (name !== undefined && fieldType !== undefined) {
      put(result, name, { type: fieldType, value: field.value });
    }
  }
  return result;
}

function put(
  result: Record<string, unknown>,
  name: string,
  field: { readonly type: FieldType; readonly value: bigint | Uint8Array },
): void {
  const { type, value } = field;
  if (typeof value === 'bigint') {
    if (type === 'int') result[name] = Number(BigInt.asIntN(64, value));
    else if (type === 'bool') result[name] = value !== 0n;
    else throw mismatch(name);
    return;
  }
  switch (type) {
    case 'int':
    case 'bool':
      throw mismatch(name);
    case 'string': {
      const text = textOf(value);
      if (text !== '') result[name] = text;
      return;
    }
    case 'strings':
      result[name] = [...listAt(result, name), textOf(value)];
      return;
    case 'time':
    case 'micro-time': {
      const time = timeText(value, type);
      if (time !== undefined) result[name] = time;
      return;
    }
    case 'map': {
      const entry = decodeMessage(value, { 1: ['key', 'string'], 2: ['value', 'string'] });
      const map = (result[name] ?? {}) as Record<string, unknown>;
      const { key = '' } = entry;
      if (typeof key === 'string') setOwn(map, key, entry['value'] ?? '');
      result[name] = map;
      return;
    }
    default: {
      if ('messages' in type) {
        result[name] = [...listAt(result, name), decodeMessage(value, type.messages)];
        return;
      }
      const message = decodeMessage(value, type.message);
      if (Object.keys(message).length > 0) result[name] = message;
    }
  }
}

function timeText(value: Uint8Array, type: 'time' | 'micro-time'): string | undefined {
  const { seconds = 0, nanos = 0 } = decodeMessage(value, {
    1: ['seconds', 'int'],
    2: ['nanos', 'int'],
  });
  // Go's zero time is the year 1; an empty message is no time either.
  const ms = Number(seconds) * 1000;
  if (ms <= 0 || !(ms < 8.64e15)) return undefined;
  const whole = new Date(ms).toISOString().slice(0, 19);
  if (type === 'time') return `${whole}Z`;
  return `${whole}.${String(Math.floor(Number(nanos) / 1000)).padStart(6, '0')}Z`;
}

function listAt(result: Readonly<Record<string, unknown>>, name: string): readonly unknown[] {
  const list = result[name];
  return Array.isArray(list) ? list : [];
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString();
}

function mismatch(name: string): Error {
  return badRequest(`field ${name} of the protobuf body has another wire type`);
}
