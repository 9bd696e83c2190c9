import { tellConsole } from './ask-console.ts';
import type { Confirmation } from './confirmation.ts';
import type { ConsoleState } from './console-state.ts';
import { element, setText } from './page-elements.ts';

/** The switch that keeps OpsBot from beginning anything. */
export function createSwitch(init: {
  readonly secret: string;
  readonly confirmation: Confirmation;
  readonly state: () => ConsoleState;
}): () => void {
  const { secret, confirmation, state } = init;
  const says = element('switch-says', HTMLElement);
  const button = element('switch', HTMLButtonElement);

  button.addEventListener('click', () => {
    const paused = policy()?.spec.paused !== true;
    confirmation.ask({
      title: paused ? 'Pause OpsBot?' : 'Let OpsBot act again?',
      lines: [
        paused
          ? 'It begins nothing until somebody lets it act again; what runs is finished.'
          : 'It acts on what stands now, within its limits.',
      ],
      reason: paused ? 'required' : 'none',
      yes: paused ? 'Pause it' : 'Let it act',
      send: (reason) =>
        tellConsole(secret, { path: 'switch', body: { paused, ...(reason !== '' && { reason }) } }),
    });
  });

  function policy() {
    return state().objects.opspolicies?.get('default');
  }

  return () => {
    const found = policy();
    const { paused = false, reason, pausedUntil } = found?.spec ?? {};
    button.hidden = found === undefined || state().session?.mayPause !== true;
    setText(button, paused ? 'Let it act again …' : 'Pause …');
    if (found === undefined) return setText(says, '');
    const until =
      pausedUntil === undefined ? '' : ` until ${new Date(pausedUntil).toLocaleString()}`;
    const why = reason === undefined ? '' : `: ${reason}`;
    setText(says, paused ? `OpsBot is paused${until}${why}` : 'OpsBot may act');
  };
}
