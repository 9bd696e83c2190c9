import { mkdirSync, openSync, closeSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerSpec } from './container-spec.ts';
import type { Instance } from './launch-strategy.ts';
import { readOptional } from './read-optional.ts';
import type { Confinement } from './runtime.ts';

/** What outlives the process that started a container. */
export interface ContainerRecord {
  readonly spec: ContainerSpec;
  readonly confinement: Confinement;
}

/** An instance in the background, with the files that its monitor writes. */
export interface BackgroundInstance extends Instance {
  readonly directory: string;
  readonly exitFile: string;
  readonly logPath: string;
}

/**
 * The folder of a runtime: `bundles/<id>` what was prepared, `containers/<id>` what was started,
 * `foreground/<id>` what this process waits for. Small synchronous writes: they are on the way of a
 * start, and a trip through the thread pool costs more than they do.
 */
export class ContainerFiles {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    for (const name of ['bundles', 'containers', 'foreground']) {
      mkdirSync(join(directory, name), { recursive: true, mode: 0o711 });
    }
  }

  bundle(id: string): string {
    return join(this.directory, 'bundles', id);
  }

  background(id: string): BackgroundInstance {
    const directory = join(this.directory, 'containers', id);
    return {
      id,
      bundle: this.bundle(id),
      directory,
      pidFile: join(directory, 'pid'),
      errorFile: join(directory, 'error'),
      exitFile: join(directory, 'exit'),
      logPath: join(directory, 'output.log'),
    };
  }

  foreground(id: string): Instance & { readonly directory: string } {
    const directory = join(this.directory, 'foreground', id);
    return {
      id,
      bundle: this.bundle(id),
      directory,
      pidFile: join(directory, 'pid'),
      errorFile: join(directory, 'error'),
    };
  }

  /** Makes the folder of a container that is about to start; what an earlier life left there goes. */
  create(instance: BackgroundInstance, record: ContainerRecord): void {
    mkdirSync(instance.directory, { recursive: true, mode: 0o700 });
    for (const path of [instance.pidFile, instance.exitFile, instance.errorFile]) {
      rmSync(path, { force: true });
    }
    writeFileSync(join(instance.directory, 'record.json'), JSON.stringify(record));
    closeSync(openSync(instance.logPath, 'a', 0o600));
  }

  record(id: string): ContainerRecord | undefined {
    const text = readOptional(join(this.background(id).directory, 'record.json'));
    return text === undefined || text === '' ? undefined : (JSON.parse(text) as ContainerRecord);
  }

  /** Written by the monitor as one line, so half of it is never seen as a number. */
  exitCode(instance: BackgroundInstance): number | undefined {
    const text = readOptional(instance.exitFile);
    return text?.endsWith('\n') === true ? Number(text) : undefined;
  }

  pid(instance: Instance): number | undefined {
    const text = readOptional(instance.pidFile)?.split(' ', 1)[0];
    return text === undefined || text === '' ? undefined : Number(text);
  }

  list(kind: 'containers' | 'foreground'): readonly string[] {
    return readdirSync(join(this.directory, kind)).toSorted();
  }

  remove(path: string): void {
    rmSync(path, { recursive: true, force: true });
  }
}
