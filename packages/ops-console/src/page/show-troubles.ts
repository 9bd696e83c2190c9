import type { Refusal } from './ask-console.ts';
import type { ConsoleState } from './console-state.ts';

const away = new Set(['unreachable', 'unavailable', 'timeout']);

/** What a person has to know of the page itself, in a sentence; empty where all is well. */
export function troublesText(
  { troubles, session }: ConsoleState,
  stopped: Refusal | undefined,
): string {
  if (stopped !== undefined) return `${stopped.message}. What is shown may be old.`;
  const all = [...troubles.values()];
  const gone = all.find(({ code }) => away.has(code));
  if (gone !== undefined) {
    return `The control plane is away: ${gone.message}. What is shown may be old; it is tried again.`;
  }
  const unknown = all.find(({ code }) => code === 'unauthorized');
  if (unknown !== undefined) {
    return `The control plane does not know who you are: ${unknown.message}.`;
  }
  const refused = all.filter(({ code }) => code === 'forbidden').map(({ kind }) => kind);
  if (refused.length > 0) {
    return `${session?.user ?? 'You'} may not read ${refused.join(', ')}: an administrator can give the group tapline:approver.`;
  }
  return all.map(({ message }) => message).join('. ');
}
