import { errorMessage, isTaplineError, systemRng } from '@tapline/base';
import { joinPage } from '../join-page.ts';
import { storageManager } from '../storage-manager.ts';
import { element, setText } from './page-elements.ts';
import { showState } from './show-device.ts';
import { suggestName } from './suggest-name.ts';

/** Shows the form until the page has joined; with the token that it was opened with, where there is one. */
export async function askToJoin(
  token: string | undefined,
  request: Omit<Parameters<typeof joinPage>[0], 'token' | 'name'>,
): Promise<void> {
  const form = element('join', HTMLFormElement);
  const name = element('name', HTMLInputElement);
  const secret = element('token', HTMLInputElement);
  const send = element('send', HTMLButtonElement);
  const trouble = element('trouble', HTMLParagraphElement);
  if (name.value === '') name.value = suggestName(navigator, systemRng);
  if (token !== undefined) secret.value = token;
  form.hidden = false;
  showState('joining', 'not a device yet');
  const joined = Promise.withResolvers<void>();
  const over = new AbortController();

  async function join(): Promise<void> {
    send.disabled = true;
    setText(trouble, '');
    try {
      await joinPage({ ...request, token: secret.value.trim(), name: name.value });
      // It has had its use, and stays in no field.
      secret.value = '';
      joined.resolve();
    } catch (error) {
      const text = errorMessage(error);
      setText(trouble, isTaplineError(error) ? `${text} (${error.code})` : text);
    }
    send.disabled = false;
  }

  form.addEventListener(
    'submit',
    (event) => {
      event.preventDefault();
      void join();
    },
    { signal: over.signal },
  );
  await joined.promise;
  over.abort();
  form.hidden = true;
  // Else the browser may delete what it keeps, the key with it, when it is short of room.
  void storageManager()?.persist();
}
