import { TaplineError } from '@tapline/base';
import { opsKinds, type OpsTarget } from '@tapline/resources';
import { parseObjectReferences } from '../kinds.ts';

/** `node/edge-1`, in any form that the rest of the command line knows. */
export function parseTarget(word: string): OpsTarget {
  const [reference] = word.includes('/') ? parseObjectReferences([word]) : [];
  const kind = opsKinds.find((one) => one === reference?.definition.kind);
  if (reference !== undefined && kind !== undefined) return { kind, name: reference.name };
  throw new TaplineError('usage', `${JSON.stringify(word)} is nothing that OpsBot acts on`, {
    hint: `write KIND/NAME, with one of ${opsKinds.map((one) => one.toLowerCase()).join(', ')}`,
  });
}
