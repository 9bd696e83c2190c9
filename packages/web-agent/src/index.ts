export { joinPage, type JoinPageRequest } from './join-page.ts';
export { noRuntime } from './no-runtime.ts';
export type { PageIdentity } from './page-identity.ts';
export { type PageAgentConfig, type RunningPageAgent, startPageAgent } from './start-page-agent.ts';
