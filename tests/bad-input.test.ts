import { isTaplineError } from '@tapline/base';
import { deliveryResource } from '@tapline/resources';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemUnavailable } from './support/requirements.ts';
import { startSystem, type System } from './support/start-system.ts';

const unavailable = await systemUnavailable([]);

function manifest(name: string, spec: string): string {
  return `apiVersion: tapline.dev/v1alpha1\nkind: Delivery\nmetadata: { name: ${name} }\nspec:\n${spec}`;
}

const good = '  package: { formula: jq }\n  selector: { matchLabels: { team: none } }\n';

describe.skipIf(unavailable !== undefined)(`bad input ${unavailable ?? ''}`, () => {
  let system: System;

  beforeAll(async () => {
    system = await startSystem();
  }, 60_000);
  afterAll(() => system[Symbol.asyncDispose](), 60_000);

  async function deliveries(): Promise<readonly string[]> {
    const { items } = await system.controlPlane.client.list(deliveryResource);
    return items.map(({ metadata }) => metadata.name);
  }

  test.each([
    ['an unknown field', good + '  packages: 3\n', 'bad_request', 'unknown field "spec.packages"'],
    [
      'an unknown field deeper down',
      '  package: { formula: jq, versoin: 1 }\n  selector: {}\n',
      'bad_request',
      'unknown field "spec.package.versoin"',
    ],
    ['a wrong type', good + '  rollout: "two"\n', 'invalid', 'spec.rollout: Invalid value: "two"'],
    [
      'a value below its limit',
      good + '  rollout: 0\n',
      'invalid',
      'spec.rollout: Invalid value: 0: must be at least 1',
    ],
    [
      'a value above its limit',
      good + '  strategy: { progressDeadlineSeconds: 604801 }\n',
      'invalid',
      'spec.strategy.progressDeadlineSeconds: Invalid value: 604801: must be at most 604800',
    ],
    ['a missing field', '  selector: {}\n', 'invalid', 'spec.package: Required value'],
    [
      'a key said twice',
      good + '  rollout: 1\n  rollout: 2\n',
      'invalid_manifest',
      'document 2 is not YAML: Map keys must be unique at line 15',
    ],
  ])('apply refuses %s, and names it', async (_what, spec, code, says) => {
    const stdin = `${manifest('first', good)}---\n${manifest('second', spec)}`;
    const applied = await system.tapline(['apply', '-f', '-'], { stdin });
    // The first document was fine, and still nothing is applied.
    expect(applied).toMatchObject({ code: 2, out: '', err: expect.stringContaining(says) });
    expect(applied.err).toContain(`[${code}]`);
    expect(await deliveries()).toEqual([]);
  });

  test('a field that somebody else manages is a conflict that names both', async () => {
    const { tapline, controlPlane } = system;
    const stdin = manifest('shared', good);
    expect(await tapline(['apply', '-f', '-'], { stdin })).toMatchObject({ code: 0 });
    const body = { metadata: { name: 'shared' }, spec: { paused: true } };
    const patch = { kind: 'apply', body, fieldManager: 'somebody-else' } as const;
    await controlPlane.client.patch(deliveryResource, 'shared', patch);
    const changed = { stdin: manifest('shared', `${good}  paused: false\n`) };
    const refused = await tapline(['apply', '-f', '-'], changed);
    expect(refused).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/conflict with "somebody-else".*spec\.paused.*\[conflict\]/s),
    });
    const delivery = await controlPlane.client.get(deliveryResource, 'shared');
    expect(delivery.spec.paused).toBe(true);
    expect(await tapline(['apply', '--force', '-f', '-'], changed)).toMatchObject({ code: 0 });
    const forced = await controlPlane.client.get(deliveryResource, 'shared');
    expect(forced.spec.paused).toBe(false);
  });

  test('of writes to the same version one wins and the others are told', async () => {
    const { client } = system.controlPlane;
    const current = await client.get(deliveryResource, 'shared');
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async (_, at) => {
        const spec = { ...current.spec, rollout: current.spec.rollout + 1 + at };
        return await client.update(deliveryResource, { ...current, spec }).then(
          ({ spec: { rollout } }) => rollout,
          (error: unknown) => {
            expect(isTaplineError(error, 'conflict')).toBe(true);
            return undefined;
          },
        );
      }),
    );
    const winners = outcomes.filter((rollout) => rollout !== undefined);
    expect(winners).toHaveLength(1);
    const after = await client.get(deliveryResource, 'shared');
    expect(after.spec.rollout).toBe(winners[0]);
  });

  test('patches of different fields are none of them lost', async () => {
    const { client } = system.controlPlane;
    const names = Array.from({ length: 20 }, (_, at) => `label-${at}`);
    const label = async (name: string): Promise<void> => {
      const body = { metadata: { labels: { [name]: 'set' } } };
      try {
        await client.patch(deliveryResource, 'shared', { kind: 'merge', body });
      } catch (error) {
        // After some tries the server lets the client decide, as Kubernetes does.
        if (!isTaplineError(error, 'conflict')) throw error;
        await label(name);
      }
    };
    await Promise.all(names.map(label));
    const { metadata } = await client.get(deliveryResource, 'shared');
    expect(Object.keys(metadata.labels ?? {}).toSorted()).toEqual(names.toSorted());
  });

  test.each([
    [['deploy', 'jq'], 2, /delivery jq is new; name its devices \[usage\]/],
    [['deploy', '../../etc', '--to', 'all'], 2, /"\.\.\/\.\.\/etc"/],
    [['deploy', 'jq', '--to', 'a b'], 2, /"a b" selects nothing/],
    [['deploy', 'jq', '--to', 'all', '--quorum', '101%'], 2, /101%/],
    [
      ['deploy', 'jq', '--to', 'all', '--name', 'Bad_Name'],
      2,
      /metadata\.name: Invalid value: "Bad_Name"/,
    ],
    [
      ['deploy', 'jq', '--to', 'all', '--health', 'jq', '--health-timeout', '99h'],
      2,
      /health\.timeoutSeconds: Invalid value: 356400: must be at most \d+/,
    ],
    [['token', 'create', '--label', 'a=b=c'], 2, /label value "b=c" is not valid/],
    [['token', 'create', '--ttl', '5 parsecs'], 2, /--ttl is "5 parsecs"/],
    [['exec', 'nowhere.jq', '--', 'jq'], 3, /"nowhere\.jq" is no install/],
    [['get', 'delivery', 'nosuch'], 3, /"nosuch" not found \[not_found\]/],
    [['rollback', 'nosuch'], 3, /"nosuch" not found \[not_found\]/],
    [['rollback', 'shared', '--to-revision', '9'], 1, /no such revision/],
  ])('tapline %j is refused', async (words, code, says) => {
    const before = await deliveries();
    const refused = await system.tapline(words);
    expect(refused).toMatchObject({ code, out: '', err: expect.stringMatching(says) });
    expect(await deliveries()).toEqual(before);
  });
});
