import type { IcingaState } from '../icinga/icinga-objects.ts';

/** A number that a check measured, in Icinga's units. */
export interface PerformanceValue {
  readonly label: string;
  readonly value: number;
  readonly unit?: 's' | 'B' | '%' | 'c';
  readonly warning?: number;
  readonly critical?: number;
  readonly min?: number;
  readonly max?: number;
}

/** What a check found. Of a host 0 is up and 1 down; of a service OK, warning, critical, unknown. */
export interface CheckOutcome {
  readonly state: IcingaState;
  readonly output: string;
  readonly performance?: readonly PerformanceValue[];
}

/** One thing that is watched of a host: a service of Icinga. */
export interface MonitoredCheck {
  readonly name: string;
  readonly title: string;
  readonly outcome: CheckOutcome;
  /** Becomes unknown by itself where nothing was told of it for a minute. */
  readonly watchdog?: true;
}

/** Something that is to be a host in Icinga, what is watched of it, and how it all stands. */
export interface MonitoredHost {
  readonly name: string;
  readonly title: string;
  /** `device`, `node`, …: what groups and notifications of Icinga can go by. */
  readonly kind: string;
  readonly outcome: CheckOutcome;
  readonly checks: readonly MonitoredCheck[];
}
