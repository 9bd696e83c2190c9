import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';

/** A network namespace of its own; disposing deletes it with everything in it. */
export interface Namespace extends Disposable {
  readonly name: string;
  /** Runs a shell script inside and returns what it printed; throws with its errors. */
  run(script: string, input?: string): string;
  /** Like run, but '' where the program fails: for what this kernel or machine lacks. */
  tryRun(script: string): string;
}

/** Names are drawn, so that tests that run side by side have none in common. */
export function openNamespace(label: string): Namespace {
  const name = `tl-${randomUUID().slice(0, 8)}-${label}`;
  execute('ip', ['netns', 'add', name]);
  function run(script: string, input?: string): string {
    return execute('ip', ['netns', 'exec', name, 'sh', '-ec', script], input);
  }
  run('ip link set lo up');
  return {
    name,
    run,
    tryRun(script) {
      const { status, stdout } = spawnSync('ip', ['netns', 'exec', name, 'sh', '-c', script], {
        encoding: 'utf8',
        timeout: 20_000,
      });
      return status === 0 ? stdout : '';
    },
    [Symbol.dispose]() {
      spawnSync('ip', ['netns', 'del', name], { timeout: 20_000 });
    },
  };
}

function execute(program: string, args: readonly string[], input?: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: 20_000,
    maxBuffer: 256 * 2 ** 20,
    ...(input !== undefined && { input }),
  });
  if (status !== 0) {
    throw new Error(`${program} ${args.join(' ')}: ${stderr}${error?.message ?? ''}`);
  }
  return stdout;
}
