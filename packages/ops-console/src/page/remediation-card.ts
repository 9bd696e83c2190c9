import type { Remediation } from '@tapline/resources';
import { type RemediationWords, remediationWords } from '../words/remediation-words.ts';
import { tellConsole } from './ask-console.ts';
import type { Confirmation } from './confirmation.ts';
import type { ConsoleState } from './console-state.ts';
import { keepList, type Shown } from './keep-list.ts';
import { createLogPart } from './log-part.ts';
import { make, setText } from './page-elements.ts';

/** A remediation with its log, and with two buttons where it waits for a person. */
export function createRemediationCard(init: {
  readonly secret: string;
  readonly confirmation: Confirmation;
  readonly state: () => ConsoleState;
}): (one: Remediation) => Shown<Remediation> {
  const { secret, confirmation, state } = init;

  return ({ metadata: { name } }) => {
    const root = make('article');
    const [title, stands, log] = [make('h3'), make('p'), make('div')];
    title.id = `title-${name}`;
    root.setAttribute('aria-labelledby', title.id);
    root.dataset['remediation'] = name;
    const [decide, approve, reject] = [make('p'), button('Approve …'), button('Refuse …')];
    decide.append(approve, ' ', reject);
    const lacking = make(
      'p',
      'You may look, and not decide: people with the group tapline:approver do.',
    );
    root.append(title, stands, log, decide, lacking);
    let shownWords: RemediationWords | undefined;
    const showParts = keepList(log, { keyOf: ({ title: part }) => part, make: createLogPart });
    let askedDigest: string | undefined;

    approve.addEventListener('click', () => ask('Approved'));
    reject.addEventListener('click', () => ask('Rejected'));

    function ask(decision: 'Approved' | 'Rejected'): void {
      const { title: what = '', parts = [], awaits } = shownWords ?? {};
      if (awaits === undefined) return;
      const { digest } = awaits;
      askedDigest = digest;
      const isYes = decision === 'Approved';
      const plan = parts.find((part) => part.title === 'What it decided')?.lines ?? [];
      confirmation.ask({
        title: `${isYes ? 'Approve' : 'Refuse'} ${what}?`,
        lines: [...plan, `digest of just this: ${digest.slice(0, 12)}`],
        reason: isYes ? 'optional' : 'required',
        yes: isYes ? 'Approve just this' : 'Refuse it',
        send: async (reason) => {
          const body = { name, digest, decision, ...(reason !== '' && { reason }) };
          const refusal = await tellConsole(secret, { path: 'approval', body });
          if (refusal === undefined) askedDigest = undefined;
          return refusal;
        },
      });
    }

    return {
      root,
      show(one) {
        const words = remediationWords(one, {
          policy: state().objects.opspolicies?.get('default'),
          time: (iso) => timeOf(Date.parse(iso)),
        });
        shownWords = words;
        const { awaits } = words;
        const mayApprove = state().session?.mayApprove === true;
        decide.hidden = awaits === undefined || !mayApprove;
        lacking.hidden = awaits === undefined || mayApprove || state().session === undefined;
        const until = awaits === undefined ? '' : `, until ${timeOf(awaits.untilMs)}`;
        setText(title, words.title);
        setText(stands, `${words.stands}${until}`);
        root.dataset['awaits'] = awaits === undefined ? 'nobody' : 'person';
        if (askedDigest !== undefined && askedDigest !== awaits?.digest) {
          askedDigest = undefined;
          confirmation.outdate(
            'It has changed while you looked at it. Close this and look at it again.',
          );
        }
        showParts(words.parts);
      },
    };
  };
}

function button(text: string): HTMLButtonElement {
  const made = make('button', text);
  made.type = 'button';
  return made;
}

function timeOf(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toLocaleString() : 'nobody knows when';
}
