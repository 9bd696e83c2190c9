import { isDeepStrictEqual } from 'node:util';
import { isRecord } from '@tapline/base';
import { apiError, badRequest } from '../api-error.ts';
import { setOwn } from '../fields/merge-fields.ts';

const maxOperations = 10_000;

type Container = Record<string, unknown> | unknown[];

/**
 * RFC 6902 on a copy of `target`. A patch that is not of the form is `bad_request`; one that does
 * not fit the object, a failed test among them, is `invalid`.
 */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch must be a list of operations');
  if (patch.length > maxOperations) {
    throw apiError(
      'too_large',
      `a JSON patch of ${patch.length} operations exceeds ${maxOperations}`,
    );
  }
  const root: { value: unknown } = { value: structuredClone(target) };
  for (const [index, operation] of patch.entries()) {
    if (!isRecord(operation)) throw badRequest(`operation ${index} of the JSON patch is no object`);
    applyOperation(root, operation, index);
  }
  return root.value;
}

function applyOperation(
  root: { value: unknown },
  operation: Readonly<Record<string, unknown>>,
  index: number,
): void {
  const { op, value } = operation;
  const path = pointer(operation['path'], 'path', index);
  switch (op) {
    case 'add':
      add(root, path, structuredClone(required(value, 'value', index)));
      return;
    case 'remove':
      remove(root, path);
      return;
    case 'replace':
      read(root, path);
      replace(root, path, structuredClone(required(value, 'value', index)));
      return;
    case 'move': {
      const from = pointer(operation['from'], 'from', index);
      if (path.length > from.length && from.every((step, at) => step === path[at])) {
        throw unfit(`operation ${index} moves a value into itself`);
      }
      const moved = read(root, from);
      remove(root, from);
      add(root, path, moved);
      return;
    }
    case 'copy':
      add(root, path, structuredClone(read(root, pointer(operation['from'], 'from', index))));
      return;
    case 'test':
      if (!isDeepStrictEqual(read(root, path), required(value, 'value', index))) {
        throw unfit(`testing value ${String(operation['path'])} failed`);
      }
      return;
    default:
      throw badRequest(`operation ${index} of the JSON patch has op ${JSON.stringify(op)}`);
  }
}

/** RFC 6901: steps between slashes, ~1 for a slash and ~0 for a tilde. */
function pointer(text: unknown, field: string, index: number): readonly string[] {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/'))) {
    throw badRequest(`${field} of operation ${index} is not a JSON pointer`);
  }
  if (text === '') return [];
  return text
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function required(value: unknown, field: string, index: number): unknown {
  if (value === undefined) throw badRequest(`operation ${index} of the JSON patch has no ${field}`);
  return value;
}

function read(root: { value: unknown }, path: readonly string[]): unknown {
  let value = root.value;
  for (const step of path) value = child(container(value, path), step, path);
  return value;
}

function child(parent: Container, step: string, path: readonly string[]): unknown {
  if (Array.isArray(parent)) return parent[itemIndex(step, parent.length - 1, path)];
  if (!Object.hasOwn(parent, step)) throw missing(path);
  return parent[step];
}

function parentOf(root: { value: unknown }, path: readonly string[]): readonly [Container, string] {
  return [container(read(root, path.slice(0, -1)), path), path.at(-1) ?? ''];
}

function add(root: { value: unknown }, path: readonly string[], value: unknown): void {
  if (path.length === 0) {
    root.value = value;
    return;
  }
  const [parent, step] = parentOf(root, path);
  if (!Array.isArray(parent)) setOwn(parent, step, value);
  else if (step === '-') parent.push(value);
  else parent.splice(itemIndex(step, parent.length, path), 0, value);
}

function replace(root: { value: unknown }, path: readonly string[], value: unknown): void {
  if (path.length === 0) {
    root.value = value;
    return;
  }
  const [parent, step] = parentOf(root, path);
  if (Array.isArray(parent)) parent[itemIndex(step, parent.length - 1, path)] = value;
  else setOwn(parent, step, value);
}

function remove(root: { value: unknown }, path: readonly string[]): void {
  if (path.length === 0) throw unfit('the whole object cannot be removed');
  const [parent, step] = parentOf(root, path);
  child(parent, step, path);
  if (Array.isArray(parent)) parent.splice(Number(step), 1);
  else Reflect.deleteProperty(parent, step);
}

function container(value: unknown, path: readonly string[]): Container {
  if (typeof value === 'object' && value !== null) return value as Container;
  throw missing(path);
}

function itemIndex(step: string, max: number, path: readonly string[]): number {
  const index = Number(step);
  if (!/^(0|[1-9][0-9]*)$/.test(step) || index > max) throw missing(path);
  return index;
}

function missing(path: readonly string[]): Error {
  return unfit(`the object has nothing at /${path.join('/')}`);
}

function unfit(why: string): Error {
  return apiError(
    'invalid',
    `the server rejected our request due to an error in our request: ${why}`,
  );
}
