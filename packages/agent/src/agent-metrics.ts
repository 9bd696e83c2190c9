/** What the agent counts; a program decides whether and where it shows. */
export interface AgentMetrics {
  /** A stage of an install that became ready. */
  observeStage(stage: string, seconds: number, traceId?: string): void;
  /** An install ended so. */
  countOutcome(outcome: 'Ready' | 'RolledBack' | 'Failed'): void;
  addFetchedBytes(bytes: number): void;
  countRestart(): void;
}

/** Counts nothing. */
export const noMetrics: AgentMetrics = {
  observeStage() {},
  countOutcome() {},
  addFetchedBytes() {},
  countRestart() {},
};
