import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFieldSelector } from './field-selector.ts';
import type { LabelSelector } from './kinds/delivery.ts';
import {
  matchesLabels,
  matchesSelector,
  parseLabelSelector,
  toLabelRequirements,
} from './label-selector.ts';

describe('label selectors', () => {
  const labels = { app: 'web', tier: '3', empty: '', 'a.b/c': 'x' };
  test.each([
    ['', true],
    ['app', true],
    ['!app', false],
    ['!none', true],
    ['app=web', true],
    ['app==web,tier=3', true],
    ['app!=web', false],
    ['none!=x', true],
    ['app in (db, web)', true],
    ['app notin (db,web)', false],
    ['none notin (x)', true],
    ['tier>2', true],
    ['tier<3', false],
    ['empty=', true],
    ['empty=,app=web', true],
    ['a.b/c=x', true],
    ['constructor', false],
  ])('%j: %s', (selector, matches) => {
    expect(matchesLabels(parseLabelSelector(selector), labels)).toBe(matches);
  });

  test.each([
    '=a',
    'a in',
    'a in (',
    'a b',
    'a,,b',
    'a,',
    '-a',
    'a=!',
    'a>x',
    `a=${'x'.repeat(64)}`,
  ])('%j is refused', (selector) => {
    expect(() => parseLabelSelector(selector)).toThrow(/label selector/);
  });

  test('whatever comes in is parsed or refused as a bad request', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        let code = 'bad_request';
        try {
          matchesLabels(parseLabelSelector(text), { a: 'b' });
        } catch (error) {
          ({ code } = error as { code: string });
        }
        expect(code).toBe('bad_request');
      }),
    );
  });

  test("an object's selector means the same", () => {
    const requirements = toLabelRequirements({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['3', '4'] },
        { key: 'none', operator: 'DoesNotExist' },
        { key: 'empty', operator: 'Exists' },
        { key: 'app', operator: 'NotIn', values: ['db'] },
      ],
    });
    expect(requirements).toEqual(
      parseLabelSelector('app=web,tier in (3,4),!none,empty,app notin (db)'),
    );
  });

  test.each<[LabelSelector, boolean]>([
    [{}, true],
    [{ matchLabels: { team: 'design' } }, true],
    [{ matchLabels: { team: 'design', os: 'mac' } }, false],
    [{ matchExpressions: [{ key: 'team', operator: 'In', values: ['design', 'ops'] }] }, true],
    [{ matchExpressions: [{ key: 'site', operator: 'In', values: ['a'] }] }, false],
    [{ matchExpressions: [{ key: 'site', operator: 'NotIn', values: ['a'] }] }, true],
    [{ matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['design'] }] }, false],
    [{ matchExpressions: [{ key: 'team', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }, false],
    [
      { matchLabels: { os: 'linux' }, matchExpressions: [{ key: 'site', operator: 'Exists' }] },
      false,
    ],
  ])('of an object: %j is %s', (selector, expected) => {
    expect(matchesSelector(selector, { team: 'design', os: 'linux' })).toBe(expected);
  });

  test('takes a device without labels for an empty selector only', () => {
    expect(matchesSelector({})).toBe(true);
    expect(matchesSelector({ matchLabels: { team: 'design' } })).toBe(false);
  });
});

describe('field selectors', () => {
  const selectable = ['metadata.name', 'spec.device', 'spec.on', 'spec.n'];
  test.each([
    ['metadata.name=a', [['metadata.name', '=', 'a']]],
    ['metadata.name==b', [['metadata.name', '=', 'b']]],
    [String.raw`spec.device=d\,1`, [['spec.device', '=', 'd,1']]],
    [
      'spec.on=true,spec.n!=',
      [
        ['spec.on', '=', 'true'],
        ['spec.n', '!=', ''],
      ],
    ],
    ['', []],
  ])('%j', (selector, expected) => {
    const requirements = parseFieldSelector(selector, selectable);
    expect(requirements.map(({ path, operator, value }) => [path, operator, value])).toEqual(
      expected,
    );
  });

  test('what cannot be selected by is named, with what can', () => {
    expect(() => parseFieldSelector('spec.secret=1', ['spec.device'])).toThrow(
      'field label not supported: spec.secret; fields are spec.device',
    );
    expect(() => parseFieldSelector('spec.device', selectable)).toThrow('invalid selector');
  });
});
