import { opsKinds, type OpsTarget } from '@tapline/resources';
import { objectsOf } from '../fleet.ts';
import type { AskState } from './answer-question.ts';

/** Objects of a name, of any kind; `node/n1` is one. What is made for another one comes after it. */
export function namedTargets(
  subject: string,
  { fleet }: Pick<AskState, 'fleet'>,
): readonly OpsTarget[] {
  const [before = '', after] = subject.split('/', 2);
  const name = after ?? before;
  const found = kinds
    .filter((kind) => objectsOf(fleet, kind).has(name))
    .map((kind): OpsTarget => ({ kind, name }));
  return after === undefined ? found : found.filter(({ kind }) => kind.toLowerCase() === before);
}

/** What people mean first. */
const first: readonly OpsTarget['kind'][] = [
  'Channel',
  'Workload',
  'Delivery',
  'Segment',
  'Node',
  'Device',
];
const kinds = [...first, ...opsKinds.filter((kind) => !first.includes(kind))];
