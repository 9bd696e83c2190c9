import { parseDigest } from '@tapline/oci';
import type { InstallSpec } from '@tapline/resources';
import { describe, expect, test } from 'vitest';
import type { ImageLayer } from './image-store.ts';
import { type InstallRecord, newRecord } from './install-record.ts';
import { describeStep } from './install-step.ts';
import { type ObservedContainer, type ObservedInstall, planInstall } from './plan-install.ts';

const digest = (letter: string): `sha256:${string}` => `sha256:${letter.repeat(64)}`;

function spec(revision: number, more: Partial<InstallSpec> = {}): InstallSpec {
  const letter = 'abcdef'[revision] ?? '0';
  return {
    device: 'd1',
    delivery: 'jq',
    formula: 'jq',
    version: `1.${revision}`,
    revision,
    image: {
      repository: 'formulae/jq',
      digest: digest(letter),
      platform: 'linux/amd64',
      sizeBytes: 1000,
      unpackedBytes: 3000,
      main: '/opt/bin/jq',
    },
    ...more,
  };
}

const always: Partial<InstallSpec> = { run: { command: ['/opt/bin/served'], restart: 'Always' } };

function record(desired: InstallSpec, more: Partial<InstallRecord> = {}): InstallRecord {
  return { ...newRecord({ uid: 'u1', name: 'd1.jq', desired }), ...more };
}

function observed(more: Partial<ObservedInstall> = {}): ObservedInstall {
  return {
    image: { kind: 'ready' },
    reserved: false,
    containers: [],
    restartInMs: 0,
    healthy: undefined,
    failure: undefined,
    ...more,
  };
}

const running = (revision: number): ObservedContainer => ({
  revision,
  status: 'running',
  exitCode: undefined,
});
const ended = (revision: number, exitCode?: number): ObservedContainer => ({
  revision,
  status: 'stopped',
  exitCode,
});
const layer = (letter: string, size: number): ImageLayer => ({
  digest: parseDigest(digest(letter)),
  size,
});
const unknown = { kind: 'unknown' } as const;
const failure = { code: 'health_check_failed', message: 'exit code 1' };

function plan(of: InstallRecord, given: Partial<ObservedInstall> = {}): string[] {
  return planInstall(of, observed(given)).map(describeStep);
}

describe('a first install', () => {
  test('begins with the manifest', () => {
    expect(plan(record(spec(1)), { image: unknown })).toEqual(['fetch manifest bbbbbbbbbbbb']);
  });

  test('reserves before it fetches, and fetches only what is missing', () => {
    const image = {
      kind: 'partial',
      missing: [layer('1', 10), layer('2', 20)],
      neededBytes: 2048,
    } as const;
    expect(plan(record(spec(1)), { image })).toEqual([
      'reserve 2.0 KiB',
      'fetch 111111111111, 222222222222',
      'lay out bbbbbbbbbbbb',
    ]);
  });

  test('does not reserve twice, nor where nothing is needed', () => {
    const partial = { kind: 'partial', missing: [] } as const;
    const layOut = ['lay out bbbbbbbbbbbb'];
    expect(plan(record(spec(1)), { image: { ...partial, neededBytes: 0 } })).toEqual(layOut);
    expect(
      plan(record(spec(1)), { image: { ...partial, neededBytes: 9 }, reserved: true }),
    ).toEqual(layOut);
  });

  test('of a command-line tool is proved by its health check', () => {
    expect(plan(record(spec(1)), { image: { kind: 'ready' } })).toEqual([
      'check health of revision 1',
      'commit revision 1',
    ]);
  });

  test('of a program that runs starts it first', () => {
    expect(plan(record(spec(1, always)), { image: { kind: 'ready' } })).toEqual([
      'start revision 1',
      'check health of revision 1',
      'commit revision 1',
    ]);
  });

  test('that fails leaves nothing behind', () => {
    expect(
      plan(record(spec(1, always)), {
        image: { kind: 'ready' },
        containers: [running(1)],
        failure,
      }),
    ).toEqual([
      'give up revision 1 (health_check_failed)',
      'stop revision 1',
      'remove container of revision 1',
    ]);
  });
});

describe('an update', () => {
  const updating = record(spec(2, always), { active: spec(1, always) });

  test('stops the old program only when the new image is ready', () => {
    expect(plan(updating, { image: unknown, containers: [running(1)] })).toEqual([
      'fetch manifest cccccccccccc',
    ]);
    expect(plan(updating, { image: { kind: 'ready' }, containers: [running(1)] })).toEqual([
      'stop revision 1',
      'start revision 2',
      'check health of revision 2',
      'commit revision 2',
      'remove container of revision 1',
    ]);
  });

  test('restarts what is served while it is under way', () => {
    expect(plan(updating, { image: unknown, containers: [ended(1, 1)] })).toEqual([
      'restart revision 1',
      'fetch manifest cccccccccccc',
    ]);
  });

  test('is not held up by the pause before a restart: it may be the repair', () => {
    expect(
      plan(updating, { image: unknown, containers: [ended(1, 1)], restartInMs: 5000 }),
    ).toEqual(['fetch manifest cccccccccccc']);
  });

  test('goes on with the container that an earlier life started', () => {
    expect(
      plan(updating, { image: { kind: 'ready' }, containers: [ended(1), running(2)] }),
    ).toEqual([
      'check health of revision 2',
      'commit revision 2',
      'remove container of revision 1',
    ]);
  });

  test('starts again what a reboot ended, and does not blame it', () => {
    expect(plan(updating, { image: { kind: 'ready' }, containers: [ended(1), ended(2)] })).toEqual([
      'remove container of revision 2',
      'start revision 2',
      'check health of revision 2',
      'commit revision 2',
      'remove container of revision 1',
    ]);
  });

  test('that fails goes back to the last good one by itself', () => {
    const containers = [ended(1), running(2)];
    expect(plan(updating, { image: { kind: 'ready' }, containers, failure })).toEqual([
      'roll back revision 2 to 1 (health_check_failed)',
      'stop revision 2',
      'remove container of revision 2',
      'restart revision 1',
    ]);
  });

  test('that was given up is not tried again', () => {
    const given = { ...updating, failed: { revision: 2, error: failure } };
    expect(plan(given, { containers: [running(1)] })).toEqual([]);
    expect(
      plan({ ...given, desired: spec(3, always) }, { image: unknown, containers: [running(1)] }),
    ).toEqual(['fetch manifest dddddddddddd']);
  });
});

describe('an update of a program with ports', () => {
  const web: Partial<InstallSpec> = { ...always, ports: [{ port: 80, target: 8080 }] };
  const updating = record(spec(2, web), { active: spec(1, web) });
  const atOld = { ports: { revision: 1 } };

  test('moves the ports when the new one is healthy, and the old one goes on until then', () => {
    expect(plan(updating, { ...atOld, containers: [running(1)] })).toEqual([
      'start revision 2',
      'check health of revision 2',
      'move ports to revision 2',
      'commit revision 2',
    ]);
  });

  test('waits for the old connections before the old program ends', () => {
    const committed = record(spec(2, web), { active: spec(2, web), previous: spec(1, web) });
    const ports = { revision: 2 };
    expect(plan(committed, { ports, containers: [running(1), running(2)] })).toEqual([
      'drain revision 1',
      'stop revision 1',
      'remove container of revision 1',
    ]);
  });

  test('that is not healthy leaves the ports where they are', () => {
    const containers = [running(1), running(2)];
    expect(plan(updating, { ...atOld, containers, failure })).toEqual([
      'roll back revision 2 to 1 (health_check_failed)',
      'drain revision 2',
      'stop revision 2',
      'remove container of revision 2',
    ]);
  });

  test('that failed after a crash moves the ports back', () => {
    const containers = [running(1), running(2)];
    expect(plan(updating, { ports: { revision: 2 }, containers, failure })).toContain(
      'move ports to revision 1',
    );
  });

  test('restarts what has the ports before it looks after others', () => {
    const committed = record(spec(2, web), { active: spec(2, web) });
    const containers = [running(1), ended(2, 1)];
    expect(plan(committed, { ports: { revision: 2 }, containers })).toEqual([
      'restart revision 2',
      'drain revision 1',
      'stop revision 1',
      'remove container of revision 1',
    ]);
  });

  test('takes ports up again that nobody holds', () => {
    const committed = record(spec(2, web), { active: spec(2, web) });
    const ports = { revision: undefined };
    expect(plan(committed, { ports, containers: [running(2)] })).toEqual([
      'move ports to revision 2',
    ]);
  });

  test('stops what listened by itself before it, as that has the port', () => {
    const first = record(spec(2, web), { active: spec(1, always) });
    expect(plan(first, { ports: { revision: undefined }, containers: [running(1)] })).toEqual([
      'stop revision 1',
      'start revision 2',
      'check health of revision 2',
      'move ports to revision 2',
      'commit revision 2',
      'remove container of revision 1',
    ]);
  });

  test('to one without ports gives them up first', () => {
    const without = record(spec(2, always), { active: spec(1, web) });
    expect(plan(without, { ...atOld, containers: [running(1)] })).toEqual([
      'close ports',
      'stop revision 1',
      'start revision 2',
      'check health of revision 2',
      'commit revision 2',
      'remove container of revision 1',
    ]);
  });

  test('that is removed takes no more connections, and ends with those that it has', () => {
    const removed = { ...updating, removing: true };
    expect(plan(removed, { ...atOld, containers: [running(1)] })).toEqual([
      'close ports',
      'drain revision 1',
      'stop revision 1',
      'remove container of revision 1',
      'forget the install',
    ]);
  });
});

describe('what is served', () => {
  test('is fetched again where a loss of power took its image', () => {
    expect(plan(served('Always'), { image: { kind: 'unknown' } })).toEqual([
      'fetch manifest bbbbbbbbbbbb',
    ]);
  });

  const served = (restart: 'Always' | 'OnFailure' | 'Never'): InstallRecord => {
    const good = spec(1, { run: { command: ['/opt/bin/served'], restart } });
    return record(good, { active: good });
  };

  test.each([
    ['Always', 0, ['restart revision 1']],
    ['Always', undefined, ['restart revision 1']],
    ['OnFailure', 1, ['restart revision 1']],
    ['OnFailure', undefined, ['restart revision 1']],
    ['OnFailure', 0, ['leave revision 1 ended']],
    ['Never', 1, ['leave revision 1 ended']],
  ] as const)('with restart %s and exit code %s', (restart, exitCode, steps) => {
    expect(plan(served(restart), { containers: [ended(1, exitCode)] })).toEqual(steps);
  });

  test('is started where no container is left, as after a reboot', () => {
    expect(plan(served('Always'))).toEqual(['restart revision 1']);
  });

  test('pauses before a restart when it keeps ending', () => {
    expect(plan(served('Always'), { containers: [ended(1, 1)], restartInMs: 5000 })).toEqual([
      'wait 5.00 s before the restart',
      'restart revision 1',
    ]);
  });

  test('stays ended once it has ended for good', () => {
    expect(plan({ ...served('Never'), finished: 1 }, { containers: [ended(1, 0)] })).toEqual([]);
  });

  test('is the only thing that runs', () => {
    expect(plan(served('Always'), { containers: [running(1), running(7), ended(8)] })).toEqual([
      'stop revision 7',
      'remove container of revision 7',
      'remove container of revision 8',
    ]);
  });
});

test('a removed install stops what runs and is forgotten', () => {
  expect(
    plan(record(spec(2), { active: spec(1), removing: true }), { containers: [running(1)] }),
  ).toEqual(['stop revision 1', 'remove container of revision 1', 'forget the install']);
});
