import type { Incident, Remediation } from '@tapline/resources';
import { awaitedSince } from '../words/awaited-since.ts';
import { createConfirmation } from './confirmation.ts';
import type { ConsoleState } from './console-state.ts';
import { createIncidentCard } from './incident-card.ts';
import { keepList } from './keep-list.ts';
import { element, make, setText } from './page-elements.ts';
import { createRemediationCard } from './remediation-card.ts';
import { createSwitch } from './show-switch.ts';

const over = new Set(['Succeeded', 'Failed', 'Refused', 'Rejected']);
const maxOver = 30;

/** Shows a state, each time it is another. */
export function createConsoleView(init: {
  readonly secret: string;
  readonly state: () => ConsoleState;
}): () => void {
  const { state } = init;
  const about = { ...init, confirmation: createConfirmation() };
  const showSwitch = createSwitch(about);
  const makeCard = createRemediationCard(about);
  const byName = { keyOf: ({ metadata }: Remediation) => metadata.name, make: makeCard };
  const lists = {
    waiting: keepList(element('waiting', HTMLElement), byName),
    running: keepList(element('running', HTMLElement), byName),
    over: keepList(element('over', HTMLElement), byName),
    incidents: keepList(element('incidents', HTMLElement), {
      keyOf: ({ metadata }: Incident) => metadata.name,
      make: createIncidentCard,
    }),
  };
  const playbooks = keepList(element('playbooks', HTMLElement), {
    keyOf: (line: string) => line,
    make: (line) => ({ root: make('li', line), show: () => undefined }),
  });

  return () => {
    const { session, objects } = state();
    if (session !== undefined)
      setText(element('user', HTMLElement), `${session.user} at ${session.server}`);
    showSwitch();
    if (objects.incidents !== undefined) {
      const open = [...objects.incidents.values()]
        .filter(({ status }) => status?.phase !== 'Resolved')
        .toSorted((a, b) => b.spec.openedAt.localeCompare(a.spec.openedAt));
      lists.incidents(open);
      count('incidents', open.length, 'Nothing is known to be wrong.');
    }
    if (objects.remediations !== undefined) {
      const all = [...objects.remediations.values()].toSorted(newestFirst);
      const isOver = ({ status }: Remediation): boolean => over.has(status?.phase ?? '');
      const waiting = all.filter(waits);
      const running = all.filter((one) => !isOver(one) && !waits(one));
      const done = all.filter(isOver).slice(0, maxOver);
      lists.waiting(waiting);
      lists.running(running);
      lists.over(done);
      count('waiting', waiting.length, 'Nothing waits for a person.');
      count('running', running.length, 'Nothing is being done.');
      count('over', done.length, 'Nothing was done lately.');
      document.title = waiting.length === 0 ? 'OpsBot' : `(${waiting.length}) OpsBot`;
    }
    if (objects.playbooks !== undefined) {
      playbooks(
        [...objects.playbooks.values()].map(
          ({ metadata, spec }) => `${metadata.name}: ${modes[spec.mode] ?? spec.mode}`,
        ),
      );
    }
  };
}

const modes: Readonly<Record<string, string>> = {
  Observe: 'says what it would do',
  Approve: 'asks a person',
  Automatic: 'acts by itself',
};

function waits({ status = {} }: Remediation): boolean {
  return awaitedSince(status) !== undefined;
}

function newestFirst(a: Remediation, b: Remediation): number {
  const [of, to] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  return to.localeCompare(of) || a.metadata.name.localeCompare(b.metadata.name);
}

function count(id: string, many: number, none: string): void {
  setText(element(`${id}-none`, HTMLElement), many === 0 ? none : '');
  setText(element(`${id}-count`, HTMLElement), many === 0 ? '' : `(${many})`);
}
