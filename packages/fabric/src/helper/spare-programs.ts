import type { Socket } from 'node:net';
import { readingPrograms } from './read-together.ts';
import type { RunProgram } from './run-program.ts';
import { type StartedProgram, startProgram } from './start-program.ts';

/**
 * How many of each wait. They read nothing of the kernel before their input is there. A small change
 * takes two of `ip`: what makes devices, and what brings them up.
 */
const changing: Readonly<Record<string, number>> = {
  'ip -batch -': 2,
  'bridge -batch -': 1,
  'tc -batch -': 1,
  'nft -f -': 1,
};
const kept: Readonly<Record<string, number>> = {
  ...changing,
  ...Object.fromEntries(readingPrograms.map((command) => [command.join(' '), 1])),
};

/**
 * Runs programs, and has some of those that take a batch waiting for their input: to start one is
 * most of the time that a small change takes, or a look. A spare is for one batch, as any other, and
 * ends with its input, so also when this process is killed.
 */
export class SparePrograms implements Disposable {
  readonly #spares = new Map<string, StartedProgram[]>();
  /** Programs that were used and are not there again yet. */
  readonly #due = new Map<string, readonly [string, ...string[]]>();
  readonly #startProgram: typeof startProgram;
  #disposed = false;

  constructor(start: typeof startProgram = startProgram) {
    this.#startProgram = start;
  }

  readonly run: RunProgram = async (command, { stdin, detach } = {}) => {
    const text = command.join(' ');
    const program = this.#spares.get(text)?.shift() ?? this.#startProgram(command);
    hold(program, true);
    const finished = program.finish(stdin, { detach });
    // While the kernel does what one says, the next can be started; looks are many at once.
    if (Object.hasOwn(changing, text)) this.startOne();
    const result = await finished;
    if (Object.hasOwn(kept, text) && result.code === 0) this.#due.set(text, command);
    return result;
  };

  /** Starts one that is missing, of those for changes first; whether there was one. */
  startOne(of: 'changes' | 'all' = 'changes'): boolean {
    const [first] = this.#due;
    const next =
      [...this.#due].find(([text]) => Object.hasOwn(changing, text)) ??
      (of === 'all' ? first : undefined);
    if (this.#disposed || next === undefined) return false;
    const [text, command] = next;
    const waiting = this.#spares.get(text) ?? [];
    this.#spares.set(text, waiting);
    if (waiting.length + 1 >= (kept[text] ?? 0)) this.#due.delete(text);
    if (waiting.length >= (kept[text] ?? 0)) return true;
    const spare = this.#startProgram(command);
    hold(spare, false);
    waiting.push(spare);
    // Somebody ended it: then the next batch starts its own.
    spare.child.once('close', () => {
      const at = waiting.indexOf(spare);
      if (at !== -1) waiting.splice(at, 1);
    });
    return true;
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const { child } of [...this.#spares.values()].flat()) child.stdin?.end();
    this.#spares.clear();
  }
}

/** What only waits does not keep this process alive. */
function hold({ child }: StartedProgram, held: boolean): void {
  const ends = [child, child.stdin, child.stdout, child.stderr] as readonly (Pick<
    Socket,
    'ref' | 'unref'
  > | null)[];
  for (const end of ends) {
    if (held) end?.ref();
    else end?.unref();
  }
}
