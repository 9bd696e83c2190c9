import {
  isLabelKey,
  isLabelValue,
  isObjectName,
  type ManagedFieldsEntry,
  type ObjectMeta,
  type OwnerReference,
} from '@tapline/resources';
import type { Cause } from './api-error.ts';
import { badRequest } from './api-error.ts';
import type { ServedKind } from './served-kind.ts';
import { type BodyOptions, strictDecodingError } from './validate-body.ts';

const maxAnnotationBytes = 256 * 1024;
const maxGenerateName = 248;

const types: Readonly<Record<string, 'string' | 'number' | 'map' | 'list'>> = {
  name: 'string',
  generateName: 'string',
  namespace: 'string',
  selfLink: 'string',
  uid: 'string',
  resourceVersion: 'string',
  generation: 'number',
  creationTimestamp: 'string',
  deletionTimestamp: 'string',
  deletionGracePeriodSeconds: 'number',
  labels: 'map',
  annotations: 'map',
  ownerReferences: 'list',
  finalizers: 'list',
  managedFields: 'list',
};

/** The metadata of a request, its types checked; nulls count as absent. */
export function decodeMetadata(kind: ServedKind, value: unknown, options: BodyOptions): ObjectMeta {
  if (value === undefined || value === null) return { name: '' };
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw badRequest(
      `metadata must be an object, not ${Array.isArray(value) ? 'a list' : typeof value}`,
    );
  }
  const result: Record<string, unknown> = {};
  const unknown: string[] = [];
  for (const [key, field] of Object.entries(value)) {
    const type = Object.hasOwn(types, key) ? types[key] : undefined;
    if (type === undefined) unknown.push(`unknown field "metadata.${key}"`);
    else if (field !== null) {
      checkType(`metadata.${key}`, field, type);
      result[key] = field;
    }
  }
  if (unknown.length > 0) {
    if (options.fieldValidation === 'Strict') throw strictDecodingError(kind, unknown);
    if (options.fieldValidation === 'Warn') for (const problem of unknown) options.warn?.(problem);
  }
  return { name: '', ...result };
}

function checkType(path: string, value: unknown, type: 'string' | 'number' | 'map' | 'list'): void {
  switch (type) {
    case 'string':
    case 'number':
      if (typeof value === type) return;
      break;
    case 'list':
      if (Array.isArray(value)) return;
      break;
    case 'map':
      if (typeof value !== 'object' || Array.isArray(value)) break;
      for (const [key, entry] of Object.entries(value as object)) {
        if (typeof entry !== 'string') {
          throw badRequest(
            `cannot unmarshal ${typeof entry} into ${path}[${key}], which must be a string`,
          );
        }
      }
      return;
  }
  throw badRequest(`cannot unmarshal ${typeof value} into ${path}, which must be a ${type}`);
}

/** Everything wrong with what the metadata says, beside its types. */
export function metadataCauses(metadata: ObjectMeta): readonly Cause[] {
  const causes: Cause[] = [];
  const refuse = (field: string, value: unknown, why: string): void => {
    causes.push({
      reason: 'FieldValueInvalid',
      message: `Invalid value: ${JSON.stringify(value).slice(0, 128)}: ${why}`,
      field,
    });
  };
  const { name, generateName } = metadata;
  if (name === '' && (generateName ?? '') === '') {
    causes.push({
      reason: 'FieldValueRequired',
      message: 'Required value: name or generateName is required',
      field: 'metadata.name',
    });
  }
  if (name !== '' && !isObjectName(name)) {
    refuse(
      'metadata.name',
      name,
      "a lowercase RFC 1123 subdomain of at most 253 characters: letters, digits, '-' and '.', beginning and ending with a letter or digit",
    );
  }
  if (generateName !== undefined && generateName.length > maxGenerateName) {
    refuse('metadata.generateName', generateName, `at most ${maxGenerateName} characters`);
  }
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (!isLabelKey(key)) refuse('metadata.labels', key, 'not a label key');
    if (!isLabelValue(value)) {
      refuse(
        'metadata.labels',
        value,
        "at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit",
      );
    }
  }
  let annotationBytes = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    if (!isLabelKey(key.toLowerCase()))
      refuse('metadata.annotations', key, 'not an annotation key');
    annotationBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (annotationBytes > maxAnnotationBytes) {
    causes.push({
      reason: 'FieldValueTooLong',
      message: `Too long: ${annotationBytes} bytes exceed ${maxAnnotationBytes}`,
      field: 'metadata.annotations',
    });
  }
  listCauses(metadata, refuse);
  return causes;
}

const maxListItems = 64;

function listCauses(
  { finalizers = [], ownerReferences = [], managedFields = [] }: ObjectMeta,
  refuse: (field: string, value: unknown, why: string) => void,
): void {
  for (const [field, list] of Object.entries({ finalizers, ownerReferences })) {
    if (list.length > maxListItems) {
      refuse(`metadata.${field}`, list.length, `at most ${maxListItems} items`);
    }
  }
  for (const [index, finalizer] of finalizers.entries()) {
    if (typeof finalizer !== 'string' || !isLabelKey(finalizer)) {
      refuse(`metadata.finalizers[${index}]`, finalizer, 'not a qualified name');
    }
  }
  for (const [index, owner] of ownerReferences.entries()) {
    if (!isOwnerReference(owner)) {
      refuse(
        `metadata.ownerReferences[${index}]`,
        owner,
        'apiVersion, kind, name and uid are required',
      );
    }
  }
  if (ownerReferences.filter((owner) => owner.controller === true).length > 1) {
    refuse('metadata.ownerReferences', ownerReferences, 'only one reference can be the controller');
  }
  for (const [index, entry] of managedFields.entries()) {
    if (!isManagedFieldsEntry(entry)) {
      refuse(`metadata.managedFields[${index}]`, entry, 'operation must be Apply or Update');
    }
  }
}

function isOwnerReference(value: unknown): value is OwnerReference {
  if (typeof value !== 'object' || value === null) return false;
  const owner = value as Readonly<Record<string, unknown>>;
  const flags = [owner['controller'], owner['blockOwnerDeletion']];
  return (
    ['apiVersion', 'kind', 'name', 'uid'].every(
      (key) => typeof owner[key] === 'string' && owner[key] !== '',
    ) && flags.every((flag) => flag === undefined || flag === null || typeof flag === 'boolean')
  );
}

function isManagedFieldsEntry(value: unknown): value is ManagedFieldsEntry {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as Readonly<Record<string, unknown>>;
  // {} resets the list, as in Kubernetes.
  if (Object.keys(entry).length === 0) return true;
  return (
    (entry['operation'] === 'Apply' || entry['operation'] === 'Update') &&
    (entry['manager'] === undefined || typeof entry['manager'] === 'string') &&
    (entry['fieldsV1'] === undefined ||
      (typeof entry['fieldsV1'] === 'object' && entry['fieldsV1'] !== null))
  );
}
