import { evidenceAgeMs, flapsOf } from '../signals/signal-book.ts';
import { graphKey } from '../graph/dependencies.ts';
import { type Guard, hold, pass } from './guard.ts';

const flapWindowMs = 600_000;

/** Never act on what nobody has confirmed lately. */
export const fresh: Guard = ({ playbook, evidence, live, monotonicMs }) => {
  const ages = evidence.map((entry) => evidenceAgeMs(entry, live, monotonicMs) / 1000);
  const newest = Math.min(...ages);
  const limit = playbook.spec.guards.maxEvidenceAgeSeconds;
  return newest <= limit
    ? pass(`the evidence is ${Math.round(newest)} s old, of ${limit} s`)
    : hold(`the newest evidence is ${Math.round(newest)} s old; the limit is ${limit} s`);
};

/** What ends by itself at once is not acted on. */
export const settled: Guard = ({ playbook, evidence, monotonicMs }) => {
  const { settleSeconds } = playbook.spec.guards;
  const [first] = evidence;
  const standsMs = monotonicMs - (first?.standsMs ?? monotonicMs);
  const leftMs = settleSeconds * 1000 - standsMs;
  return leftMs <= 0
    ? pass(`it stands for ${Math.round(standsMs / 1000)} s, of ${settleSeconds} s`)
    : hold(
        `it stands for ${(standsMs / 1000).toFixed(1)} s; the limit is ${settleSeconds} s`,
        leftMs,
      );
};

/** While more of the same begin, nobody knows yet how many there are: what is done waits for the last. */
export const still: Guard = ({ playbook, target, faults, monotonicMs }) => {
  const { name } = playbook.metadata;
  const limitMs = playbook.spec.guards.settleSeconds * 1000;
  if (limitMs === 0) return pass('it need not settle');
  const others = [...faults.values()].filter(
    (fault) => fault.playbook.metadata.name === name && graphKey(fault.target) !== graphKey(target),
  );
  const young = others.flatMap(({ evidence: [first] }) =>
    first !== undefined && monotonicMs - first.standsMs < limitMs ? [first.standsMs] : [],
  );
  if (young.length === 0) return pass('no more of the same begin');
  const says = `${young.length} more of the same began within ${limitMs / 1000} s`;
  return hold(says, Math.max(...young) + limitMs - monotonicMs);
};

/** As many sources have to agree as the playbook says; one that repeats itself is one. */
export const quorum: Guard = ({ playbook, evidence, live, monotonicMs }) => {
  const { minEvidence, maxEvidenceAgeSeconds } = playbook.spec.guards;
  const current = evidence.filter(
    (entry) => evidenceAgeMs(entry, live, monotonicMs) <= maxEvidenceAgeSeconds * 1000,
  );
  const sources = [...new Set(current.map(({ signal }) => signal.source))].toSorted();
  const says = `${sources.length} of ${minEvidence} sources agree: ${sources.join(', ')}`;
  return sources.length >= minEvidence ? pass(says) : hold(says);
};

/** What comes and goes is not repaired by doing something each time it goes. */
export const steady: Guard = ({ playbook, evidence }) => {
  const { maxFlaps } = playbook.spec.guards;
  const counts = evidence.map((entry) => flapsOf(entry, entry.signal.order - flapWindowMs));
  const flaps = Math.max(0, ...counts);
  const says = `changed ${flaps} times in ten minutes; the limit is ${maxFlaps}`;
  return flaps <= maxFlaps ? pass(says) : hold(says);
};
