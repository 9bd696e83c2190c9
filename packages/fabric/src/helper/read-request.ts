import { isRecord, TaplineError } from '@tapline/base';
import {
  type PreparedOperations,
  type PrepareOptions,
  prepareOperations,
} from './prepare-operations.ts';

export interface HelperRequest {
  readonly id: unknown;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Of `execute`. */
  readonly prepared?: PreparedOperations;
  /** Why it is refused. */
  readonly error?: unknown;
}

/** Everything that can be done before its turn has come. */
export function readRequest(line: string, options: PrepareOptions): HelperRequest {
  let fields: Readonly<Record<string, unknown>> = {};
  try {
    const request: unknown = JSON.parse(line);
    if (!isRecord(request)) throw requestRefused('a request is an object');
    fields = request;
    return { id: fields['id'], fields, ...prepare(fields, options) };
  } catch (error) {
    return { id: fields['id'], fields, error };
  }
}

export function prepare(
  { kind, operations }: Readonly<Record<string, unknown>>,
  options: PrepareOptions,
): Pick<HelperRequest, 'prepared'> {
  if (kind !== 'execute') return {};
  return { prepared: prepareOperations(listOf(operations), options) };
}

export function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw requestRefused('a list was expected');
  return value;
}

export function requestRefused(message: string): TaplineError {
  return new TaplineError('request_invalid', `request refused: ${message}`);
}
