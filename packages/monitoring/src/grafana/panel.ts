/** What a panel shows: expressions of Prometheus, each with the text of its legend. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** A panel in words of its own; `dashboardDocument` makes Grafana's of it. */
export interface Panel {
  readonly kind: 'timeseries' | 'stat' | 'bargauge' | 'table';
  readonly title: string;
  /** One sentence: what it is, and what to look for. */
  readonly description: string;
  readonly unit: 's' | 'short' | 'percentunit' | 'bytes' | 'Bps' | 'reqps' | 'bool';
  readonly queries: readonly Query[];
  /** Out of 24 columns; 12 unless given. */
  readonly width?: number;
}

export interface Dashboard {
  /** Stable: alerts and people link to it. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** What can be chosen at its top, from the values of a label. */
  readonly variables: readonly Variable[];
  readonly panels: readonly Panel[];
}

export interface Variable {
  readonly name: string;
  readonly label: string;
  /** Of a series that always has it. */
  readonly metric: string;
}
