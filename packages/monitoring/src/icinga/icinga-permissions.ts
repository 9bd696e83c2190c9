/** What the account needs, and nothing more. */
export const icingaPermissions: readonly string[] = [
  'actions/process-check-result',
  'config/modify',
  'config/query',
  'events/AcknowledgementCleared',
  'events/AcknowledgementSet',
  'events/CheckResult',
  'events/DowntimeRemoved',
  'events/DowntimeStarted',
  'events/DowntimeTriggered',
  'events/Flapping',
  'events/StateChange',
  'objects/create/Host',
  'objects/create/Service',
  'objects/delete/Host',
  'objects/delete/Service',
  'objects/modify/Host',
  'objects/modify/Service',
  'objects/query/Host',
  'objects/query/Service',
  'status/query',
];

/** Those of {@link icingaPermissions} that are not among `granted`, which may have `*` in them. */
export function missingPermissions(granted: readonly string[]): readonly string[] {
  const patterns = granted.map((text) => {
    const escaped = text.replaceAll(/[\\^$+?.()|[\]{}]/g, '\\$&').replaceAll('*', '.*');
    // Icinga compares without regard to case.
    return new RegExp(`^${escaped}$`, 'i');
  });
  return icingaPermissions.filter((needed) => !patterns.some((pattern) => pattern.test(needed)));
}
