import type { ContainerState, Runtime } from '@tapline/runtimes';
import { containerId } from './container-spec-of.ts';
import type { ObservedContainer } from './plan-install.ts';

/** A container that ended by itself. */
export interface EndedContainer {
  readonly uid: string;
  readonly revision: number;
  readonly exitCode: number | undefined;
}

/** Which containers of Installs there are: read once from the runtime, then kept up to date. */
export interface ContainerTable extends AsyncDisposable {
  of(uid: string): readonly ObservedContainer[];
  /** Uids that have containers. */
  uids(): readonly string[];
  started(uid: string, revision: number): void;
  stopped(uid: string, revision: number): void;
  removed(uid: string, revision: number): void;
  logPath(uid: string, revision: number): Promise<string | undefined>;
}

type ListingRuntime = Pick<Runtime, 'list' | 'wait'>;

/** Reads what an earlier life of the agent left running, and watches it and what comes. */
export async function createContainerTable(init: {
  readonly runtime: ListingRuntime;
  readonly onEnd: (ended: EndedContainer) => void;
  readonly onError: (error: unknown) => void;
}): Promise<ContainerTable> {
  const { runtime, onEnd, onError } = init;
  const stopping = new AbortController();
  const containers = new Map<string, Map<number, ObservedContainer>>();
  const watches = new Set<Promise<void>>();

  function put(uid: string, container: ObservedContainer): void {
    const own = containers.get(uid) ?? new Map<number, ObservedContainer>();
    own.set(container.revision, container);
    containers.set(uid, own);
  }

  function watch(uid: string, revision: number): void {
    const running = observe(uid, revision).finally(() => watches.delete(running));
    watches.add(running);
  }

  async function observe(uid: string, revision: number): Promise<void> {
    try {
      const { exitCode } = await runtime.wait(containerId(uid, revision), {
        signal: stopping.signal,
      });
      // A stop of ours is no news.
      if (containers.get(uid)?.get(revision)?.status !== 'running') return;
      put(uid, { revision, status: 'stopped', exitCode });
      onEnd({ uid, revision, exitCode });
    } catch (error) {
      const known = containers.get(uid)?.get(revision)?.status === 'running';
      if (!stopping.signal.aborted && known) onError(error);
    }
  }

  for (const state of await runtime.list()) {
    const owner = ownerOf(state);
    if (owner === undefined) continue;
    const { revision } = owner;
    put(owner.uid, { revision, status: state.status, exitCode: state.exitCode });
    if (state.status === 'running') watch(owner.uid, revision);
  }

  return {
    of: (uid) => [...(containers.get(uid)?.values() ?? [])],
    uids: () => [...containers.keys()],
    started(uid, revision) {
      put(uid, { revision, status: 'running', exitCode: undefined });
      watch(uid, revision);
    },
    stopped(uid, revision) {
      put(uid, { revision, status: 'stopped', exitCode: undefined });
    },
    removed(uid, revision) {
      const own = containers.get(uid);
      own?.delete(revision);
      if (own?.size === 0) containers.delete(uid);
    },
    async logPath(uid, revision) {
      const id = containerId(uid, revision);
      return (await runtime.list()).find((state) => state.id === id)?.logPath;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(watches);
    },
  };
}

function ownerOf(
  state: ContainerState,
): { readonly uid: string; readonly revision: number } | undefined {
  const { uid, revision } = state.labels;
  const number = Number(revision);
  return uid === undefined || !Number.isInteger(number) ? undefined : { uid, revision: number };
}
