import { readConsole, type Refusal } from './ask-console.ts';
import { emptyConsoleState, nextConsoleState } from './console-state.ts';
import { element, setText } from './page-elements.ts';
import { createConsoleView } from './show-console.ts';
import { troublesText } from './show-troubles.ts';

const againMs = 2000;

/** Shows what is there until the page is left. Messages that come together are shown together. */
export async function runConsole(secret: string | undefined): Promise<never> {
  let state = emptyConsoleState;
  let stopped: Refusal | undefined;
  let isDue = false;
  const trouble = element('trouble', HTMLElement);
  const view = createConsoleView({ secret: secret ?? '', state: () => state });

  function show(): void {
    if (isDue) return;
    isDue = true;
    // Not with the next frame: a page in the background has none.
    setTimeout(() => {
      isDue = false;
      view();
      setText(trouble, troublesText(state, stopped));
      document.body.dataset['state'] = trouble.textContent === '' ? 'live' : 'trouble';
    }, 30);
  }

  for (;;) {
    stopped = await readConsole(secret ?? '', (message) => {
      stopped = undefined;
      state = nextConsoleState(state, message);
      show();
    });
    show();
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}
