import { TaplineError } from '@tapline/base';
import type { OpsTarget } from '@tapline/resources';
import { parseObjectReferences } from '../kinds.ts';

const kinds: readonly OpsTarget['kind'][] = [
  'Device',
  'Node',
  'Workload',
  'Segment',
  'Delivery',
  'Install',
  'Attachment',
];

/** `node/edge-1`, in any form that the rest of the command line knows. */
export function parseTarget(word: string): OpsTarget {
  const [reference] = word.includes('/') ? parseObjectReferences([word]) : [];
  const kind = kinds.find((one) => one === reference?.definition.kind);
  if (reference !== undefined && kind !== undefined) return { kind, name: reference.name };
  throw new TaplineError('usage', `${JSON.stringify(word)} is nothing that OpsBot acts on`, {
    hint: `write KIND/NAME, with one of ${kinds.map((one) => one.toLowerCase()).join(', ')}`,
  });
}
