import type { ClusterRoleBinding } from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import type { ServedKind } from '../served-kind.ts';
import type { Log } from '@tapline/base';
import { parseSelection } from '../watch/selection.ts';
import type { WatchHub } from '../watch/watch-hub.ts';
import type { RbacPolicy } from './rbac-policy.ts';

const group = 'rbac.authorization.k8s.io';

/** Keeps the policy as the stored roles and bindings say; resolves when it is so. */
export async function followPolicy(init: {
  readonly hub: WatchHub;
  readonly policy: RbacPolicy;
  readonly kindOf: (group: string, plural: string) => ServedKind | undefined;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { hub, policy, kindOf, log, signal } = init;
  let current = {};
  const follow = async (
    round: object,
    plural: string,
    set: (name: string, object: AnyObject | undefined) => void,
  ): Promise<void> => {
    const kind = kindOf(group, plural);
    if (kind === undefined) return;
    await hub.watch({
      kind,
      selection: parseSelection(kind, {}),
      after: undefined,
      bookmarks: false,
      markInitialEnd: false,
      signal,
      sink: {
        event: (type, event) => {
          const { object } = event.now;
          set(object.metadata.name, type === 'DELETED' ? undefined : object);
        },
        bookmark: () => undefined,
        flush: () => undefined,
        end: (error) => {
          // Once for both kinds, and not where the server stops.
          if (error === undefined || round !== current) return;
          policy.clear();
          void restart();
        },
      },
    });
  };
  const restart = async (): Promise<void> => {
    try {
      await start();
    } catch (error) {
      // Nobody has a role then: the log says why.
      log.error('cannot read roles', { error });
    }
  };
  const start = async (): Promise<void> => {
    const round = {};
    current = round;
    await follow(round, 'clusterroles', (name, object) => {
      policy.setRole(name, object);
    });
    await follow(round, 'clusterrolebindings', (name, object) => {
      policy.setBinding(name, object as ClusterRoleBinding | undefined);
    });
  };
  await start();
}
