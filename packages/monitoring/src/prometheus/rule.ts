/** A rule of Prometheus that computes a series from others; named level:metric:operations. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

/** A rule of Prometheus that tells of a condition. */
export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  /** How long the condition has to hold, such as `5m`. */
  readonly for: string;
  readonly severity: 'warning' | 'critical';
  /** One sentence with the numbers in it; Go templates. */
  readonly summary: string;
  /** The name of its page in docs/runbooks. */
  readonly runbook: string;
  /** The uid of the dashboard to open. */
  readonly dashboard: string;
}

export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly (RecordingRule | AlertingRule)[];
}
