import {
  findCondition,
  type Incident,
  type OpsTarget,
  type Playbook,
  type Remediation,
} from '@tapline/resources';
import { isTaplineError } from '@tapline/base';
import { type Fleet, findTarget, targetText } from '../fleet.ts';
import { ancestorsOf, graphKey } from '../graph/dependencies.ts';
import { planRun } from '../plan/plan-run.ts';
import { isSelected } from '../playbooks/match-playbook.ts';
import { namedTargets } from './named-targets.ts';
import type { Intent } from './parse-question.ts';

/** Everything that an answer may come from. */
export interface AskState {
  readonly fleet: Fleet;
  readonly incidents: readonly Incident[];
  readonly remediations: readonly Remediation[];
  readonly playbooks: readonly Playbook[];
}

export interface Answer {
  /** Sentences, each true of the state that was looked at. */
  readonly lines: readonly string[];
  /** Where each can be seen: a command that shows it. */
  readonly evidence: readonly { readonly says: string; readonly command: string }[];
}

const maxLines = 12;

/** Answers from what is there, with where it is to be seen; the same state gives the same answer. */
export function answerQuestion(intent: Intent, state: AskState): Answer {
  switch (intent.kind) {
    case 'wrong':
      return bounded(whatIsWrong(intent.subject, state));
    case 'done':
      return bounded(whatWasDone(intent.subject, state));
    case 'why-not':
      return bounded(whyNot(intent.subject, state));
    case 'would-do':
      return bounded(whatWould(intent.subject, state));
    case 'waiting':
      return bounded(whatWaits(state));
    case 'how-fast':
      return bounded(howFast(intent.subject, state));
    case 'where':
      return bounded(whereIs(intent.subject, state));
    case 'unknown':
      return {
        lines: [
          'I know these questions: what is wrong (with NAME); what did you do (about NAME); why not; what would you do about NAME; what waits for approval; how fast is DELIVERY; where is NAME.',
        ],
        evidence: [],
      };
  }
}

function nobody(subject: string): Answer {
  return {
    lines: [`There is nothing named ${subject}.`],
    evidence: [seen('what there is', 'tapline get all')],
  };
}

function whatIsWrong(subject: string | undefined, state: AskState): Answer {
  const open = state.incidents.filter(({ status }) => status?.phase !== 'Resolved');
  if (subject === undefined) {
    if (open.length === 0) {
      return {
        lines: ['Nothing is known to be wrong.'],
        evidence: [seen('incidents, the past ones too', 'tapline ops incidents --all')],
      };
    }
    return {
      lines: [
        `${open.length === 1 ? 'There is 1 incident' : `There are ${open.length} incidents`}.`,
        ...open.map(({ status, spec }) => `${status?.summary ?? targetText(spec.cause)}.`),
      ],
      evidence: open.map(({ metadata, spec }) =>
        seen(targetText(spec.cause), `tapline ops show ${metadata.name}`),
      ),
    };
  }
  const targets = namedTargets(subject, state);
  if (targets.length === 0) return nobody(subject);
  const lines: string[] = [];
  const evidence: Answer['evidence'][number][] = [];
  for (const target of targets) {
    const condition = notWell(target, state);
    const about = open.filter((incident) => concerns(incident, target, state));
    const command = `tapline describe ${target.kind.toLowerCase()} ${target.name}`;
    if (condition !== undefined) lines.push(`${targetText(target)}: ${condition}.`);
    for (const { spec, status, metadata } of about) {
      const isItself = graphKey(spec.cause) === graphKey(target);
      lines.push(
        isItself
          ? `${targetText(target)} is the cause of an incident: ${status?.summary ?? ''}.`
          : `It is part of an incident that ${targetText(spec.cause)} explains: ${status?.summary ?? ''}.`,
      );
      for (const fault of status?.faults ?? []) {
        if (fault.target !== targetText(target) && !isItself) continue;
        lines.push(`${fault.evidence.source} says of ${fault.target}: ${fault.evidence.says}.`);
      }
      evidence.push(seen('the incident', `tapline ops show ${metadata.name}`));
    }
    if (condition === undefined && about.length === 0) lines.push(`${targetText(target)} is fine.`);
    evidence.push(seen(targetText(target), command));
  }
  return { lines, evidence };
}

function whatWasDone(subject: string | undefined, state: AskState): Answer {
  const about = newestFirst(state.remediations).filter(
    ({ spec }) =>
      subject === undefined || matchesSubject(spec.target, subject) || spec.playbook === subject,
  );
  if (about.length === 0) {
    const what = subject === undefined ? '' : ` about ${subject}`;
    return {
      lines: [`Nothing was done${what}.`],
      evidence: [seen('all that was done', 'tapline get remediations')],
    };
  }
  return {
    lines: about
      .slice(0, 5)
      .flatMap(({ spec, status }) => [
        `${spec.playbook} on ${targetText(spec.target)}, because ${spec.reason}: ${status?.phase ?? 'Waiting'}${status?.outcome === undefined ? '' : `, ${status.outcome}`}.`,
        ...(status?.plan ?? []).map(
          ({ text }, at) => `  ${status?.steps?.[at]?.state ?? 'Pending'}: ${text}`,
        ),
      ]),
    evidence: about
      .slice(0, 5)
      .map(({ metadata }) => seen(metadata.name, `tapline ops show ${metadata.name}`)),
  };
}

function whyNot(subject: string | undefined, state: AskState): Answer {
  const lines: string[] = [];
  const evidence: Answer['evidence'][number][] = [];
  for (const { metadata, status } of state.incidents) {
    if (status?.phase === 'Resolved') continue;
    for (const { playbook, target, guard, says } of status?.held ?? []) {
      const [kind = '', name = ''] = target.split(' ');
      if (subject !== undefined && name !== subject && `${kind.toLowerCase()}/${name}` !== subject)
        continue;
      lines.push(`${playbook} on ${target} is held by ${guard}: ${says}.`);
      evidence.push(seen('the incident', `tapline ops show ${metadata.name}`));
    }
  }
  for (const { metadata, spec, status } of state.remediations) {
    if (status?.phase !== 'Waiting' && status?.phase !== 'Refused') continue;
    if (subject !== undefined && !matchesSubject(spec.target, subject)) continue;
    lines.push(
      `${spec.playbook} on ${targetText(spec.target)}: ${status.outcome ?? status.phase}.`,
    );
    evidence.push(seen(metadata.name, `tapline ops show ${metadata.name}`));
  }
  return lines.length > 0
    ? { lines, evidence }
    : {
        lines: ['No guard rail holds anything back.'],
        evidence: [seen('playbooks, and what they answer to', 'tapline get playbooks')],
      };
}

function whatWould(subject: string | undefined, state: AskState): Answer {
  const targets = subject === undefined ? [] : namedTargets(subject, state);
  if (subject === undefined) return { lines: ['About what? Name an object.'], evidence: [] };
  if (targets.length === 0) return nobody(subject);
  const lines: string[] = [];
  const evidence: Answer['evidence'][number][] = [];
  for (const target of targets) {
    for (const playbook of state.playbooks) {
      const { name } = playbook.metadata;
      if (playbook.spec.target.kind !== target.kind) continue;
      if (!isSelected(playbook.spec.target, target, state.fleet)) continue;
      const plan = planText(playbook, target, state.fleet);
      if (plan === undefined) continue;
      lines.push(`${name} would ${plan}.`);
      evidence.push(
        seen(
          `the plan of ${name}`,
          `tapline ops plan ${name} ${target.kind.toLowerCase()}/${target.name}`,
        ),
      );
    }
  }
  return lines.length > 0
    ? { lines, evidence }
    : { lines: [`No playbook is for ${subject}.`], evidence };
}

function planText(playbook: Playbook, target: OpsTarget, fleet: Fleet): string | undefined {
  try {
    return planRun(playbook, target, fleet)
      .map(({ text }) => text)
      .join('; then ');
  } catch (error) {
    if (!isTaplineError(error)) throw error;
    return undefined;
  }
}

function whatWaits({ remediations }: AskState): Answer {
  const waiting = remediations.filter(({ status }) => status?.phase === 'AwaitingApproval');
  if (waiting.length === 0) return { lines: ['Nothing waits for an approval.'], evidence: [] };
  return {
    lines: waiting.map(
      ({ spec, status }) =>
        `${spec.playbook} on ${targetText(spec.target)} would ${(status?.plan ?? []).map(({ text }) => text).join('; then ')}.`,
    ),
    evidence: waiting.map(({ metadata }) =>
      seen(metadata.name, `tapline ops show ${metadata.name}`),
    ),
  };
}

function howFast(subject: string | undefined, { fleet }: AskState): Answer {
  const all = [...fleet.deliveries.values()].filter(
    ({ metadata }) =>
      subject === undefined || metadata.name === subject || metadata.name === `${subject}.workload`,
  );
  const timed = all.flatMap(({ metadata, status }) => {
    const total = status?.stages?.find(({ name }) => name === 'total');
    return total === undefined
      ? []
      : [{ name: metadata.name, p50: total.p50Seconds, p99: total.p99Seconds }];
  });
  if (timed.length === 0)
    return { lines: ['No delivery of that name has been timed.'], evidence: [] };
  return {
    lines: timed.map(
      ({ name, p50, p99 }) =>
        `Delivery ${name} took ${p50.toFixed(3)} s at p50 and ${p99.toFixed(3)} s at p99.`,
    ),
    evidence: timed.map(({ name }) =>
      seen(`stages of ${name}`, `tapline describe delivery ${name}`),
    ),
  };
}

function whereIs(subject: string, state: AskState): Answer {
  const targets = namedTargets(subject, state);
  if (targets.length === 0) return nobody(subject);
  return {
    lines: targets.flatMap((target) => {
      const needs = ancestorsOf(state.fleet, target).slice(1).map(targetText);
      return [
        `${targetText(target)} needs ${needs.length === 0 ? 'nothing else' : needs.join(', ')}.`,
      ];
    }),
    evidence: targets.map(({ kind, name }) =>
      seen(`${kind} ${name}`, `tapline describe ${kind.toLowerCase()} ${name}`),
    ),
  };
}

function notWell(target: OpsTarget, { fleet }: AskState): string | undefined {
  const conditions = findTarget(fleet, target)?.status?.conditions;
  const ready = findCondition(conditions, 'Ready');
  if (ready !== undefined && ready.status !== 'True') return `not ready, ${ready.message}`;
  // A channel can be ready, and players get too little of it.
  const missed = ['HitRatio', 'Stream'].map((type) => findCondition(conditions, type));
  return missed.find((one) => one?.status === 'False')?.message;
}

function concerns({ spec, status }: Incident, target: OpsTarget, { fleet }: AskState): boolean {
  const text = targetText(target);
  return (
    graphKey(spec.cause) === graphKey(target) ||
    status?.faults?.some((fault) => fault.target === text) === true ||
    ancestorsOf(fleet, target).some((node) => graphKey(node) === graphKey(spec.cause))
  );
}

function matchesSubject({ kind, name }: OpsTarget, subject: string): boolean {
  return subject === name || subject === `${kind.toLowerCase()}/${name}`;
}

function newestFirst(all: readonly Remediation[]): readonly Remediation[] {
  return all.toSorted((a, b) => (createdAt(a) < createdAt(b) ? 1 : -1));
}

function createdAt({ metadata }: Remediation): string {
  return metadata.creationTimestamp ?? '';
}

function seen(says: string, command: string): Answer['evidence'][number] {
  return { says, command };
}

function bounded({ lines, evidence }: Answer): Answer {
  const more = lines.length - maxLines;
  const unique = new Map(evidence.map((one) => [one.command, one]));
  return {
    lines: more > 0 ? [...lines.slice(0, maxLines), `And ${more} more.`] : lines,
    evidence: [...unique.values()].slice(0, maxLines),
  };
}
