import type { ClusterRoleBinding } from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import type { ServedKind } from '../served-kind.ts';
import { parseSelection } from '../watch/selection.ts';
import type { WatchHub } from '../watch/watch-hub.ts';
import type { RbacPolicy } from './rbac-policy.ts';

const group = 'rbac.authorization.k8s.io';

/** Keeps the policy as the stored roles and bindings say; resolves when it is so. */
export async function followPolicy(init: {
  readonly hub: WatchHub;
  readonly policy: RbacPolicy;
  readonly kindOf: (group: string, plural: string) => ServedKind | undefined;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { hub, policy, kindOf, signal } = init;
  const follow = async (
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
        end: () => undefined,
      },
    });
  };
  await follow('clusterroles', (name, object) => {
    policy.setRole(name, object);
  });
  await follow('clusterrolebindings', (name, object) => {
    policy.setBinding(name, object as ClusterRoleBinding | undefined);
  });
}
