import { type Namespace, openNamespace } from './open-namespace.ts';

/** Nodes in namespaces, each in a network of its own behind one router. */
export interface RoutedUnderlay extends Disposable {
  readonly router: Namespace;
  readonly nodes: readonly (Namespace & { readonly underlay: string })[];
}

export function openRoutedUnderlay(count: number): RoutedUnderlay {
  const router = openNamespace('router');
  router.run('sysctl -qw net.ipv4.ip_forward=1');
  const nodes = Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    const node = openNamespace(`n${number}`);
    const underlay = `192.0.2.${number * 8 + 2}`;
    router.run(
      `ip link add r${number} type veth peer name eth0 netns ${node.name}
       ip address add 192.0.2.${number * 8 + 1}/29 dev r${number}
       ip link set r${number} up`,
    );
    node.run(
      `ip address add ${underlay}/29 dev eth0
       ip link set eth0 up
       ip route add default via 192.0.2.${number * 8 + 1}`,
    );
    return { ...node, underlay };
  });
  return {
    router,
    nodes,
    [Symbol.dispose]() {
      for (const node of nodes) node[Symbol.dispose]();
      router[Symbol.dispose]();
    },
  };
}
