import type { OpsEvidence, OpsTarget } from '@tapline/resources';

/** How something stands, as somebody outside says. */
export interface Signal {
  readonly source: OpsEvidence['source'];
  /** What about what, the same however often it is told: `icinga/edge-1!disk`. */
  readonly key: string;
  /** What it may be about; playbooks take the one of their kind. */
  readonly targets: readonly OpsTarget[];
  /** The check, the alert or the type of the condition. */
  readonly topic: string;
  /** `ok`, `down`, `warning`, `critical`, `unknown`, `firing`, or a condition's status. */
  readonly state: string;
  readonly reason?: string;
  readonly says: string;
  /** When this state began, by the source's clock: only ever compared with itself. */
  readonly sinceMs: number;
  /** Which of two signals of a key is newer, by the source. */
  readonly order: number;
  /** A person has acknowledged it, or planned it. */
  readonly handled: boolean;
  readonly flapping: boolean;
}
