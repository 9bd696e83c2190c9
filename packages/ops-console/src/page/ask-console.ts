import { consoleSecretHeader } from '../console-secret-header.ts';
import type { ConsoleDecision, ConsoleMessage, ConsoleSwitch } from '../console-message.ts';

/** What the page's server answered that is no success. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Sends what a person decided; undefined is that it was taken. */
export async function tellConsole(
  secret: string,
  told:
    | { readonly path: 'approval'; readonly body: ConsoleDecision }
    | { readonly path: 'switch'; readonly body: ConsoleSwitch },
): Promise<Refusal | undefined> {
  let response: Response;
  try {
    response = await fetch(`api/${told.path}`, {
      method: 'POST',
      headers: { [consoleSecretHeader]: secret, 'content-type': 'application/json' },
      body: JSON.stringify(told.body),
    });
  } catch {
    return ended;
  }
  return response.ok ? undefined : await refusalOf(response);
}

/** Reads what changes until the stream ends, and says why it did. */
export async function readConsole(
  secret: string,
  onMessage: (message: ConsoleMessage) => void,
): Promise<Refusal> {
  try {
    const response = await fetch('api/watch', { headers: { [consoleSecretHeader]: secret } });
    if (!response.ok || response.body === null) return await refusalOf(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return ended;
      const lines = (text + value).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) if (line !== '') onMessage(JSON.parse(line) as ConsoleMessage);
    }
  } catch {
    return ended;
  }
}

const ended: Refusal = {
  code: 'console_ended',
  message: 'tapline ops console does not run any more; start it again and open what it prints',
};

async function refusalOf(response: Response): Promise<Refusal> {
  const said = (await response.json().catch(() => undefined)) as Partial<Refusal> | undefined;
  const { code = 'unavailable', message = `HTTP status ${response.status}` } = said ?? {};
  return { code, message };
}
