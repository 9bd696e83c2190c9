import { isRecord, TaplineError } from '@tapline/base';
import type { MachineContainer } from './machine-dialect.ts';

/**
 * Reads `ps --all --format json`: of Podman a list whose entries have `Names` as a list, of Docker a
 * line for each container with `Names` as a text. Throws `machine_answer_invalid`.
 */
export function parseEngineList(output: string): readonly MachineContainer[] {
  const text = output.trim();
  if (text === '') return [];
  const entries: unknown = text.startsWith('[')
    ? JSON.parse(text)
    : text.split('\n').map((line) => JSON.parse(line) as unknown);
  if (!Array.isArray(entries)) throw invalid('is no list');
  return entries.flatMap((one: unknown) => {
    if (!isRecord(one)) throw invalid('has an entry that is no object');
    const { Names: names, State: state } = one;
    if (typeof state !== 'string') throw invalid('has a container without a state');
    const all: readonly unknown[] = Array.isArray(names) ? names : String(names).split(',');
    return all.map((name) => ({ name: String(name), running: state === 'running' }));
  });
}

function invalid(why: string): TaplineError {
  return new TaplineError('machine_answer_invalid', `what \`ps --format json\` lists ${why}`);
}
