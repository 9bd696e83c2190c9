import type { Attachment } from '@tapline/resources';
import type { FabricIntent } from '@tapline/segments';
import { fabricIntentOf, segmentIntentOf } from './fabric-intent-of.ts';

/**
 * What Attachments say that a fabric is to be. Of a segment whose nodes are at different epochs the
 * newest says it.
 */
export function claimOf(attachments: readonly Attachment[]): FabricIntent {
  const ordered = attachments.toSorted((a, b) => a.spec.epoch - b.spec.epoch);
  const newest = new Map(ordered.map((one) => [one.spec.segment, one]));
  const records = ordered.map(({ metadata, spec }) => ({
    name: metadata.name,
    uid: metadata.uid ?? '',
    sequence: Number(metadata.resourceVersion ?? 0),
    spec,
  }));
  const segments = records
    .filter(({ name, spec }) => newest.get(spec.segment)?.metadata.name === name)
    .map((record) => segmentIntentOf(record, () => ''))
    .toSorted((a, b) => a.vni - b.vni);
  const [first] = records;
  const self = first?.spec.self ?? { name: '', vtep: '0.0.0.0', underlay: '0.0.0.0' };
  const { name, vtep, underlay } = self;
  const intent = fabricIntentOf(records, segments, { name, vtep, underlay });
  return first === undefined ? { ...intent, nodes: [] } : intent;
}
