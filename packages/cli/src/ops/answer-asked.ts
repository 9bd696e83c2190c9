import type { Clock } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { Answer } from '@tapline/opsbot';
import { askPrometheus } from './ask-prometheus.ts';

/** A question, what it was taken for, and the answer: out of what is there, and of metrics where asked. */
export async function answerAsked(
  question: string,
  init: {
    readonly client: ResourceClient;
    readonly prometheus: URL | undefined;
    readonly clock: Clock;
    readonly signal: AbortSignal;
  },
): Promise<Answer & { readonly intent: unknown }> {
  const { answerQuestion, metricQueries, parseQuestion, readOps } = await import('@tapline/opsbot');
  const intent = parseQuestion(question);
  const state = await readOps(init.client, init.signal);
  const answer = answerQuestion(intent, state);
  if (init.prometheus === undefined) return { intent, ...answer };
  const measured = await askPrometheus(init.prometheus, metricQueries(intent, state), init);
  return {
    intent,
    lines: [...answer.lines, ...measured.lines],
    evidence: [...answer.evidence, ...measured.evidence],
  };
}
