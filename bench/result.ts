/** One measured figure beside its peers'. */
export interface BenchmarkRow {
  readonly metric: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher';
  readonly ours: number;
  /** Undefined where the peer could not run; `note` then says why. */
  readonly peers: Readonly<Record<string, number | undefined>>;
  /** Ours against the best peer; undefined without one. */
  readonly ratio: number | undefined;
  /** The bound asked for, on the ratio or on ours. */
  readonly goal?: number;
  readonly goalOn?: 'ratio' | 'ours';
  readonly holds?: boolean;
  readonly note?: string;
}

export interface BenchmarkResult {
  readonly name: string;
  readonly date: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly BenchmarkRow[];
}

/** What a benchmark measured; the runner adds date and machine. */
export interface Measurement {
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly BenchmarkRow[];
}

/** A row with ratio and holds computed from the rest. */
export function benchmarkRow(row: Omit<BenchmarkRow, 'ratio' | 'holds'>): BenchmarkRow {
  const measured = Object.values(row.peers).filter((value) => value !== undefined);
  const best =
    measured.length === 0
      ? undefined
      : row.better === 'lower'
        ? Math.min(...measured)
        : Math.max(...measured);
  const ratio = best === undefined ? undefined : row.ours / best;
  if (row.goal === undefined) return { ...row, ratio };
  const judged = row.goalOn === 'ours' ? row.ours : ratio;
  const holds =
    judged !== undefined && (row.better === 'lower' ? judged <= row.goal : judged >= row.goal);
  return { ...row, ratio, holds };
}
