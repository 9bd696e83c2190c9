export { consoleSecretHeader } from './console-secret-header.ts';
export type { ConsoleDecision, ConsoleMessage, ConsoleSwitch } from './console-message.ts';
