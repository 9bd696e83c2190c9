/** The stages of a delivery, in order; each one's time runs from the end of the one before it. */
export const stages = [
  'resolved',
  'built',
  'published',
  'notified',
  'pulled',
  'unpacked',
  'started',
  'ready',
] as const;

/** `accepted` is where the first stage begins and takes no time itself. */
export type Stage = (typeof stages)[number];

/** The stages that the control plane times; the rest is timed by the device. */
export const packageStages: readonly Stage[] = ['resolved', 'built', 'published'];

/** The stages of a segment's version; `accepted` is where the first one begins. */
export const segmentStages = ['allocated', 'notified', 'applied', 'verified'] as const;

/** The stages of a channel's version, from its spec until it is ready. */
export const channelStages = ['segment', 'scheduled', 'cached', 'primed', 'validated'] as const;
