import { isRecord, TaplineError } from '@tapline/base';
import type { MachineContainer } from './machine-dialect.ts';

/**
 * Reads `container ls --all --format json`. Before 1.0 the id is in `configuration` and `status` is a
 * word; since 1.0 the id is outside, and `status` has `state`. Throws `machine_answer_invalid`.
 */
export function parseAppleList(output: string): readonly MachineContainer[] {
  const value: unknown = output.trim() === '' ? [] : JSON.parse(output);
  if (!Array.isArray(value)) throw invalid('is no list');
  return value.map((one: unknown) => {
    if (!isRecord(one)) throw invalid('has an entry that is no object');
    const { id, configuration, status } = one;
    const name = id ?? (isRecord(configuration) ? configuration['id'] : undefined);
    const state = isRecord(status) ? status['state'] : status;
    if (typeof name !== 'string') throw invalid('has a container without an id');
    if (typeof state !== 'string') throw invalid(`has no state of container ${name}`);
    // Beside running there are stopped, stopping and unknown: nothing can be asked of those.
    return { name, running: state === 'running' };
  });
}

function invalid(why: string): TaplineError {
  return new TaplineError('machine_answer_invalid', `what \`container ls\` lists ${why}`, {
    hint: 'this version of container may say it otherwise than 0.1 to 1.x',
  });
}
