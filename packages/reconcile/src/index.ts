export type { AnyObject } from './any-object.ts';
export type { Change } from './change.ts';
export { createEventRecorder, type EventRecorder, type RecordedEvent } from './event-recorder.ts';
export { formatPlan } from './format-plan.ts';
export { createInformer, type Informer, type InformerInit } from './informer.ts';
export { type LeaderElectionInit, runAsLeader } from './leader-election.ts';
export type { IndexFunction } from './object-cache.ts';
export { objectKey } from './object-key.ts';
export { type Explanation, explainPlan, type Plan, type Step, type Waiting } from './plan.ts';
export {
  createReconciler,
  type Enqueue,
  type Reconciler,
  type ReconcileMetrics,
  type ReconcilerInit,
  watch,
  type Watch,
} from './reconciler.ts';
export { type Outcome, WorkQueue, type WorkQueueInit } from './work-queue.ts';
export { writeStatus } from './write-status.ts';
