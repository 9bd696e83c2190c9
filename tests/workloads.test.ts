import { readdirSync, readFileSync, statSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { type Workload, workloadResource } from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { segmentsUnavailable } from './segments/support/segments-unavailable.ts';
import { systemUnavailable } from './support/requirements.ts';
import { startSegmentSystem } from './support/segment-system.ts';

// Half a minute of a core: by command, and not with every change.
const unasked =
  process.env['TAPLINE_LONG_TESTS'] === undefined ? '(needs TAPLINE_LONG_TESTS=1)' : undefined;
const unavailable =
  unasked ?? segmentsUnavailable(['unshare', 'runc']) ?? (await systemUnavailable());
const within = { withinMs: 60_000 };

/** How many processes with `marker` in their command line run in a network namespace. */
function programsIn(namespace: string, marker: string): number {
  const { ino } = statSync(`/run/netns/${namespace}`);
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0');
      return commandLine.includes(marker) && statSync(`/proc/${pid}/ns/net`).ino === ino;
    } catch {
      // It ended meanwhile.
      return false;
    }
  }).length;
}

describe.skipIf(unavailable !== undefined)(`workloads on nodes ${unavailable ?? ''}`, () => {
  test('what a killed node ran runs elsewhere, and not on it when it is back', async () => {
    const marker = `marker-${randomUUID()}`;
    await using system = await startSegmentSystem(
      { n1: 'place=a', n2: 'place=b' },
      { formulae: ['bash'], runtime: 'runc' },
    );
    await system.apply(
      'workload',
      `
apiVersion: tapline.dev/v1alpha1
kind: Workload
metadata: { name: edge }
spec:
  package: { formula: bash }
  run: { command: [bash, -c, 'while :; do read -t 60 <> <(:); done', '${marker}'] }
  health: { command: [bash, -c, 'exit 0'] }
  network: Host
  moveAfterSeconds: 1
`,
    );
    const until = (what: string, done: (one: Workload) => boolean): Promise<Workload> =>
      eventually(
        what,
        async () => {
          const workload = await system.client.get(workloadResource, 'edge');
          return done(workload) ? workload : undefined;
        },
        within,
      );
    const first = await until('it is ready', ({ status }) => status?.counts?.ready === 1);
    const [placement] = first.status?.placements ?? [];
    const home = system.nodes.find(({ name }) => name === placement?.node);
    const other = system.nodes.find(({ name }) => name !== placement?.node);
    if (home === undefined || other === undefined) throw new Error('two nodes are needed');
    expect(programsIn(home.namespace, marker)).toBe(1);
    expect(programsIn(other.namespace, marker)).toBe(0);

    await home.kill();
    const moved = await until('it is ready elsewhere', ({ status }) =>
      (status?.placements ?? []).some(
        ({ node, state }) => node === other.name && state === 'Ready',
      ),
    );
    expect(moved.status?.placements).toEqual([{ node: other.name, epoch: 2, state: 'Ready' }]);
    expect(programsIn(other.namespace, marker)).toBe(1);

    await home.start();
    await eventually(
      'the node that came back stops what moved',
      () => programsIn(home.namespace, marker) === 0,
      within,
    );
    expect(programsIn(other.namespace, marker)).toBe(1);

    // Drained, it goes back, and serves there before it ends here.
    const drained = await system.tapline(['node', 'drain', other.name, '--timeout', '60s']);
    expect(drained).toMatchObject({ code: 0, out: `node ${other.name} is drained\n` });
    expect(programsIn(home.namespace, marker)).toBe(1);
    await eventually('it ends there', () => programsIn(other.namespace, marker) === 0, within);
  }, 180_000);
});
