import type { AnyObject } from '../any-object.ts';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicMergePatch } from './strategic-merge-patch.ts';

/** A patch that says what to change, in one of the three ways that Kubernetes knows beside apply. */
export interface BodyPatch {
  readonly kind: 'merge' | 'json' | 'strategic';
  readonly body: unknown;
}

/** What the patch makes of an object; not validated. */
export function patchedObject(live: AnyObject, patch: BodyPatch): unknown {
  switch (patch.kind) {
    case 'merge':
      return mergePatch(live, patch.body);
    case 'strategic':
      return strategicMergePatch(live, patch.body);
    case 'json':
      return jsonPatch(live, patch.body);
  }
}
