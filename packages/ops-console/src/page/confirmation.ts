import { element, make, setText } from './page-elements.ts';
import type { Refusal } from './ask-console.ts';

export interface Question {
  readonly title: string;
  /** What it is that is decided, line by line. */
  readonly lines: readonly string[];
  readonly reason: 'required' | 'optional' | 'none';
  /** On the button that does it. */
  readonly yes: string;
  readonly send: (reason: string) => Promise<Refusal | undefined>;
}

/** Asks once more before anything is sent. */
export interface Confirmation {
  ask(question: Question): void;
  /** What was asked is no more what would be done: nothing can be sent from here. */
  outdate(why: string): void;
}

/** The page's one dialog: it holds the keyboard, and Escape leaves it. */
export function createConfirmation(): Confirmation {
  const dialog = element('confirm', HTMLDialogElement);
  const form = element('confirm-form', HTMLFormElement);
  const title = element('confirm-title', HTMLElement);
  const lines = element('confirm-lines', HTMLElement);
  const reason = element('confirm-reason', HTMLInputElement);
  const field = element('confirm-reason-field', HTMLElement);
  const label = element('confirm-reason-label', HTMLElement);
  const trouble = element('confirm-trouble', HTMLElement);
  const yes = element('confirm-yes', HTMLButtonElement);
  let question: Question | undefined;

  element('confirm-no', HTMLButtonElement).addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    // It is told later, and something else may be asked by then.
    if (!dialog.open) question = undefined;
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (question !== undefined) void send(question);
  });

  async function send(asked: Question): Promise<void> {
    yes.disabled = true;
    setText(trouble, '');
    const refusal = await asked.send(reason.value.trim());
    // Somebody has left it, and may be asked something else by now.
    if (question !== asked) return;
    if (refusal === undefined) return dialog.close();
    setText(trouble, sentence(refusal));
    yes.disabled = refusal.code === 'conflict' || refusal.code === 'forbidden';
  }

  return {
    ask(asked) {
      question = asked;
      setText(title, asked.title);
      lines.replaceChildren(...asked.lines.map((line) => make('li', line)));
      setText(label, asked.reason === 'required' ? 'Why' : 'Why (may be left out)');
      reason.required = asked.reason === 'required';
      field.hidden = asked.reason === 'none';
      reason.value = '';
      setText(trouble, '');
      setText(yes, asked.yes);
      yes.disabled = false;
      dialog.showModal();
      (asked.reason === 'none' ? yes : reason).focus();
    },
    outdate(why) {
      if (question === undefined) return;
      setText(trouble, why);
      yes.disabled = true;
    },
  };
}

function sentence({ code, message }: Refusal): string {
  switch (code) {
    case 'conflict':
      return `It has changed meanwhile, so nothing was decided: ${message}. Close this and look at it again.`;
    case 'forbidden':
      return `You may not: ${message}.`;
    case 'unreachable':
    case 'unavailable':
      return `The control plane is away, so nothing may have been decided: ${message}.`;
    default:
      return `That did not work: ${message}.`;
  }
}
