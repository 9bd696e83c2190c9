import type { Remediation } from '@tapline/resources';

/**
 * Where the time of a remediation went, as text: from the moment of the event to accepted, then each step
 * from its beginning to its check, then to the end. All by the clock of this machine.
 */
export function stageTimes({ status = {} }: Remediation, eventMs: number): string {
  const { acceptedAt, steps = [], plan = [], verifySince, finishedAt } = status;
  const stages = steps.map(({ startedAt, finishedAt: done }, at) => {
    const from = Date.parse(startedAt ?? '');
    return `${plan[at]?.action ?? 'step'} at ${since(startedAt, eventMs)} for ${since(done, from)}`;
  });
  return [
    `accepted at ${since(acceptedAt, eventMs)}`,
    ...stages,
    ...(verifySince === undefined ? [] : [`verified from ${since(verifySince, eventMs)}`]),
    `over at ${since(finishedAt, eventMs)}`,
  ].join(', ');
}

function since(at: string | undefined, fromMs: number): string {
  return at === undefined ? '-' : `${Math.round(Date.parse(at) - fromMs)} ms`;
}
