// Public API; named exports only.
export { type Answer, answerQuestion, type AskState } from './ask/answer-question.ts';
export { metricQueries, type MetricQuery, type MetricSample } from './ask/metric-queries.ts';
export { parseQuestion } from './ask/parse-question.ts';
export { readFleet, readOps } from './ask/read-ops.ts';
export { approvalText } from './chat/approval-text.ts';
export { type ChatCommand, parseChatCommand } from './chat/parse-chat-command.ts';
export { parseSlackRequest, type SlackRequest } from './chat/parse-slack-request.ts';
export { slackAnswer, slackMessage, type SlackMessage } from './chat/slack-message.ts';
export { isSlackSignature } from './chat/slack-signature.ts';
export {
  startOpsBot,
  type OpsBot,
  type OpsBotInit,
  type OpsMetrics,
} from './engine/start-ops-bot.ts';
export { createOpsInformers } from './engine/create-ops-informers.ts';
export type { ExecuteOnDevice } from './engine/carry-out.ts';
export type { OpsInformers } from './engine/ops-informers.ts';
export type { Fleet } from './fleet.ts';
export { planDigest } from './plan/plan-digest.ts';
export { planRun } from './plan/plan-run.ts';
export { storePlan } from './plan/stored-plan.ts';
export { builtInPlaybooks } from './playbooks/built-in.ts';
export { fromAlertmanager } from './signals/from-alertmanager.ts';
export { fromIcinga, type IcingaChange } from './signals/from-icinga.ts';
export type { Signal } from './signals/signal.ts';
