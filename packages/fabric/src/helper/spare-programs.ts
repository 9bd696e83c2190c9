import type { Socket } from 'node:net';
import type { RunProgram } from './run-program.ts';
import { type StartedProgram, startProgram } from './start-program.ts';

/** They read nothing of the kernel before their input is there. */
const waits = new Set(['ip -batch -', 'bridge -batch -', 'tc -batch -', 'nft -f -']);

/**
 * Runs programs, and has one of each that takes a batch waiting for its input: to start it is most
 * of the time that a small change takes. A spare is for one batch, as any other, and ends with its
 * input, so also when this process is killed.
 */
export class SparePrograms implements Disposable {
  readonly #spares = new Map<string, StartedProgram>();
  readonly #startProgram: typeof startProgram;
  #disposed = false;

  constructor(start: typeof startProgram = startProgram) {
    this.#startProgram = start;
  }

  readonly run: RunProgram = async (command, { stdin, detach } = {}) => {
    const text = command.join(' ');
    const program = this.#spares.get(text) ?? this.#startProgram(command);
    this.#spares.delete(text);
    hold(program, true);
    const result = await program.finish(stdin, { detach });
    if (waits.has(text) && result.code === 0) this.#start(command);
    return result;
  };

  #start(command: readonly [string, ...string[]]): void {
    const text = command.join(' ');
    if (this.#disposed || this.#spares.has(text)) return;
    const spare = this.#startProgram(command);
    hold(spare, false);
    this.#spares.set(text, spare);
    // Somebody ended it: then the next batch starts its own.
    spare.child.once('close', () => {
      if (this.#spares.get(text) === spare) this.#spares.delete(text);
    });
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const { child } of this.#spares.values()) child.stdin?.end();
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
