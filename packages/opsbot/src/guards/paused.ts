import { type Guard, hold, pass } from './guard.ts';

/** The switch of everything, and that of the playbook. */
export const paused: Guard = ({ playbook, policy, nowMs }) => {
  const until = policy.pausedUntil === undefined ? undefined : Date.parse(policy.pausedUntil);
  if (policy.paused === true && (until === undefined || until > nowMs)) {
    const why = policy.reason === undefined ? '' : `: ${policy.reason}`;
    return hold(`OpsBot is paused${why}`, until === undefined ? undefined : until - nowMs);
  }
  return playbook.spec.paused === true
    ? hold(`playbook ${playbook.metadata.name} is paused`)
    : pass('not paused');
};
