import type { Incident } from '@tapline/resources';
import type { Shown } from './keep-list.ts';
import { make, setText } from './page-elements.ts';

const maxFaults = 20;

/** An incident with its probable cause, its faults, and what was not done about it. */
export function createIncidentCard(): Shown<Incident> {
  const root = make('article');
  const [title, summary, details] = [make('h3'), make('p'), make('ul')];
  root.append(title, summary, details);
  let shown = '';
  return {
    root,
    show({ spec, status = {} }) {
      const { severity = 'warning', faults = [], held = [], targets = faults.length } = status;
      root.dataset['severity'] = severity;
      setText(title, `Probable cause: ${spec.cause.kind} ${spec.cause.name}`);
      const since = new Date(spec.openedAt).toLocaleString();
      setText(summary, `${severity}, ${targets} affected, since ${since}. ${status.summary ?? ''}`);
      const lines = [
        ...faults
          .slice(0, maxFaults)
          .map(({ target, evidence: { source, says } }) => `${target}: ${says} (${source})`),
        ...(faults.length > maxFaults ? [`and ${targets - maxFaults} more`] : []),
        ...held
          .slice(0, maxFaults)
          .map(
            ({ playbook, target, guard, says }) =>
              `not done: ${playbook} on ${target}, held by ${guard}: ${says}`,
          ),
      ];
      const now = JSON.stringify(lines);
      if (now === shown) return;
      shown = now;
      details.replaceChildren(...lines.map((line) => make('li', line)));
    },
  };
}
