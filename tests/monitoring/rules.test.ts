import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { globalRules, siteRules } from '@tapline/monitoring';
import { builtInPlaybooks } from '@tapline/opsbot';
import { haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { recordedIn } from '../support/metrics-in.ts';

const root = join(import.meta.dirname, '../..');
const levels = { site: siteRules, global: globalRules };
const all = Object.values(levels).flatMap((groups) => groups.flatMap(({ rules }) => rules));

test('series are named level:metric:operations, and used only where they are recorded', () => {
  const recorded = all.flatMap((rule) => ('record' in rule ? [rule.record] : []));
  expect(recorded.filter((name) => !/^(site|global):[a-z0-9_]+:[a-z0-9_]+$/.test(name))).toEqual(
    [],
  );
  expect(new Set(recorded).size).toBe(recorded.length);
  const used = all.flatMap(({ expr }) => recordedIn(expr));
  expect(used.filter((name) => !recorded.includes(name))).toEqual([]);
});

test('nothing that goes up has a label of a device, a container or an instance', () => {
  const labels = all.flatMap(({ expr }) =>
    [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(', ')),
  );
  expect([...new Set(labels)].toSorted()).toEqual(['job', 'le', 'outcome', 'reconciler', 'stage']);
});

test('every alert and every playbook has a page that says what to do, and every page has one', () => {
  const alerts = all.flatMap((rule) => ('alert' in rule ? [rule.runbook] : []));
  const playbooks = builtInPlaybooks.map(({ spec }) => spec.runbook);
  const pages = globSync('docs/runbooks/*.md', { cwd: root }).toSorted();
  const named = [...alerts, ...playbooks].map((name) => `docs/runbooks/${name}.md`);
  expect([...new Set(named)].toSorted()).toEqual(pages);
});

const unavailable = haveProgram('promtool') ? '' : '(needs promtool)';

describe.skipIf(unavailable !== '')(`promtool ${unavailable}`, () => {
  const folder = join(root, 'deploy/prometheus');

  test('takes the rules, and their unit tests hold', () => {
    const rules = globSync('*.rules.yaml', { cwd: folder });
    const tests = globSync('tests/*.test.yaml', { cwd: folder });
    expect(rules).toHaveLength(tests.length);
    const run = (...args: readonly string[]) =>
      execFileSync('promtool', args, { cwd: folder, encoding: 'utf8' });
    expect(run('check', 'rules', ...rules)).toContain('SUCCESS');
    expect(run('test', 'rules', ...tests).match(/SUCCESS/g)).toHaveLength(tests.length);
  });
});
