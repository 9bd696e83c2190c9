import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboards, globalRules, siteRules } from '@tapline/monitoring';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { metricsIn, recordedIn } from '../support/metrics-in.ts';

const root = join(import.meta.dirname, '../..');
const rules = [...siteRules, ...globalRules].flatMap((group) => group.rules);
const expressions = dashboards.flatMap(({ panels, variables }) => [
  ...panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)),
  ...variables.map(({ metric }) => metric),
]);

/** Every metric that a program of the product declares. */
function declared(): ReadonlySet<string> {
  const files = globSync('packages/{agent,apiserver,control-plane}/src/**/*.ts', { cwd: root });
  const texts = files
    .filter((file) => !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(root, file), 'utf8'));
  return new Set(
    texts.flatMap((text) =>
      // By its name as a property, or as the first argument of what makes several alike.
      [...text.matchAll(/(?:name:|gauge\()\s*'(tapline_[a-z0-9_]+)'/g)].map(([, one = '']) => one),
    ),
  );
}

test('every metric of dashboards and rules is declared by a program, every other series recorded', () => {
  const metrics = declared();
  const all = [...expressions, ...rules.map(({ expr }) => expr)];
  const named = all.flatMap(metricsIn);
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((name) => !metrics.has(name))).toEqual([]);
  const recorded = new Set(rules.flatMap((rule) => ('record' in rule ? [rule.record] : [])));
  expect(all.flatMap(recordedIn).filter((name) => !recorded.has(name))).toEqual([]);
});

test('every alert opens a dashboard that there is', () => {
  const uids = new Set(dashboards.map(({ uid }) => uid));
  const opened = rules.flatMap((rule) => ('alert' in rule ? [rule.dashboard] : []));
  expect(opened.filter((uid) => !uids.has(uid))).toEqual([]);
});

test.skipIf(!haveProgram('promtool'))(
  'promtool reads every expression of a dashboard (needs promtool)',
  async () => {
    await using folder = await temporaryFolder();
    const checked = expressions
      .filter((expr) => !/^[a-z_:]+$/.test(expr))
      .map((expr, at) => ({
        record: `dashboard:expression:${at}`,
        expr: expr.replaceAll('$__all', '.*'),
      }));
    const path = join(folder.path, 'rules.json');
    writeFileSync(path, JSON.stringify({ groups: [{ name: 'dashboards', rules: checked }] }));
    const said = execFileSync('promtool', ['check', 'rules', path], { encoding: 'utf8' });
    expect(said).toContain(`${checked.length} rules found`);
  },
);
