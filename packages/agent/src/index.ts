export { type AgentCore, type AgentCoreInit, createAgentCore } from './agent-core.ts';
export { type AgentMetrics, noMetrics } from './agent-metrics.ts';
export { AgentState, type OutboxEntry } from './agent-state.ts';
export type { ImageBlob, ImageRoot, ImageState, ImageStore } from './image-store.ts';
export type { InstallRecord } from './install-record.ts';
export { describeStep, type InstallStep } from './install-step.ts';
export { type ObservedContainer, type ObservedInstall, planInstall } from './plan-install.ts';
export { createPrometheusMetrics, type PrometheusMetrics } from './prometheus-metrics.ts';
