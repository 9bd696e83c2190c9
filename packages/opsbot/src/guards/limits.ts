import { graphKey } from '../graph/dependencies.ts';
import { begunWithin, failuresOf } from '../ledger.ts';
import { type Guard, hold, isRecovery, pass } from './guard.ts';

const hourMs = 3_600_000;

/** One at a time on a target, whatever playbook it is of. */
export const targetLease: Guard = ({ ledger, target }) => {
  const key = graphKey(target);
  const holder = ledger.running?.find((entry) => graphKey(entry.target) === key);
  return holder === undefined
    ? pass('nothing else works on it')
    : hold(`${holder.remediation} works on it`);
};

/** A pause between two runs on one target. */
export const cooldown: Guard = ({ ledger, playbook, target, nowMs }) => {
  const limitMs = playbook.spec.guards.cooldownSeconds * 1000;
  const key = graphKey(target);
  const last = Math.max(
    0,
    ...(ledger.ended ?? [])
      .filter((one) => one.playbook === playbook.metadata.name && graphKey(one.target) === key)
      .map(({ endedAt }) => Date.parse(endedAt)),
  );
  // A clock that was set back must not make it wait for longer than it says.
  const leftMs = Math.min(limitMs, last + limitMs - nowMs);
  return leftMs <= 0
    ? pass('its pause is over')
    : hold(
        `ran ${Math.max(0, Math.round((nowMs - last) / 1000))} s ago; the limit is ${limitMs / 1000} s`,
        leftMs,
      );
};

/** How many at a time, of the playbook and in all. */
export const concurrency: Guard = ({ ledger, playbook, policy }) => {
  const running = ledger.running ?? [];
  const own = running.filter((one) => one.playbook === playbook.metadata.name).length;
  const { concurrent } = playbook.spec.guards;
  if (own >= concurrent) return hold(`${own} run of this playbook; the limit is ${concurrent}`);
  const says = `${running.length} run in all; the limit is ${policy.concurrent}`;
  return running.length < policy.concurrent ? pass(says) : hold(says);
};

/** How many may begin in an hour, of the playbook and in all. */
export const rate: Guard = ({ ledger, playbook, policy, nowMs }) => {
  const { perHour } = playbook.spec.guards;
  const own = begunWithin(ledger, { ms: hourMs, nowMs, playbook: playbook.metadata.name });
  if (own >= perHour) return hold(`${own} began within an hour; the limit is ${perHour}`);
  const all = begunWithin(ledger, { ms: hourMs, nowMs });
  const says = `${all} began in all within an hour; the limit is ${policy.perHour}`;
  return all < policy.perHour ? pass(says) : hold(says);
};

/** How much is done in a day. */
export const budget: Guard = ({ ledger, policy, nowMs }) => {
  const all = begunWithin(ledger, { ms: 24 * hourMs, nowMs });
  const says = `${all} began within a day; the limit is ${policy.perDay}`;
  return all < policy.perDay ? pass(says) : hold(says);
};

/** What did not help again and again is not tried again before a person says so. */
export const breaker: Guard = ({ ledger, playbook, policy, nowMs }) => {
  const { maxFailures } = playbook.spec.guards;
  const failures = failuresOf(ledger, { playbook: playbook.metadata.name, policy, nowMs });
  const says = `${failures} failed within an hour; the limit is ${maxFailures}`;
  if (failures < maxFailures) return pass(says);
  return isRecovery(playbook)
    ? pass(`${says}, which recovery passes`)
    : hold(`${says}: tapline ops resume --reset lets it try again`);
};
