export { type AgentCore, type AgentCoreInit, createAgentCore } from './agent-core.ts';
export type { AgentMetrics } from './agent-metrics.ts';
export { AgentState, type OutboxEntry } from './agent-state.ts';
export type { ImageLayer, ImageRoot, ImageState, ImageStore } from './image-store.ts';
export type { InstallRecord } from './install-record.ts';
export { hostPlatform } from './host-platform.ts';
export { joinDevice, type JoinRequest } from './join-device.ts';
export { type AgentConfig, type RunningAgent, startAgent } from './start-agent.ts';
