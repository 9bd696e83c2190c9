import {
  type FieldRequirement,
  fieldText,
  fieldValue,
  type LabelRequirements,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import type { ServedKind } from '../served-kind.ts';

interface FieldCheck {
  readonly path: readonly string[];
  readonly value: string;
  readonly equal: boolean;
}

/** Which objects of a kind are asked for. */
export interface Selection {
  readonly namespace: string | undefined;
  readonly labels: LabelRequirements;
  readonly fields: readonly FieldCheck[];
  /** A field whose value is demanded, by which an index finds objects and watchers. */
  readonly indexed: { readonly field: string; readonly value: string } | undefined;
  readonly everything: boolean;
}

export interface SelectionQuery {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** Parses what a request selects. Fails with `bad_request`. */
export function parseSelection(kind: ServedKind, query: SelectionQuery): Selection {
  const labels = parseLabelSelector(query.labelSelector ?? '');
  const fields = parseFieldSelector(query.fieldSelector ?? '', kind.selectable);
  const namespace = kind.namespaced ? query.namespace : undefined;
  return {
    namespace,
    labels,
    fields: fields.map(({ path, operator, value }: FieldRequirement) => ({
      path: path.split('.'),
      value,
      equal: operator === '=',
    })),
    indexed: indexedField(kind, fields),
    everything: labels.length === 0 && fields.length === 0 && namespace === undefined,
  };
}

function indexedField(kind: ServedKind, fields: readonly FieldRequirement[]): Selection['indexed'] {
  const found = fields.find(
    ({ path, operator, value }) =>
      operator === '=' && value !== '' && kind.definition.selectableFields.includes(path),
  );
  return found === undefined ? undefined : { field: found.path, value: found.value };
}

/** Whether an object is asked for; it is parsed only where that depends on what it says. */
export function isSelected(selection: Selection, stored: { readonly object: AnyObject }): boolean {
  if (selection.everything) return true;
  const { object } = stored;
  if (selection.namespace !== undefined && object.metadata.namespace !== selection.namespace) {
    return false;
  }
  for (const { path, value, equal } of selection.fields) {
    if ((fieldText(fieldValue(object, path)) === value) !== equal) return false;
  }
  return selection.labels.length === 0 || matchesLabels(selection.labels, object.metadata.labels);
}
