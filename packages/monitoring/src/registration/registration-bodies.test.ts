import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseIcingaName } from '../icinga/icinga-name.ts';
import type { IcingaCreation } from '../icinga/icinga-objects.ts';
import type { MonitoredHost } from './monitored-host.ts';
import { checkResult, hostCreation } from './registration-bodies.ts';
import { registrationConfig } from './registration-config.ts';

const placement = { instance: parseIcingaName('ours') };
const attributes = [
  'display_name',
  'vars.tapline_checks',
  'vars.tapline_instance',
  'vars.tapline_kind',
];

function creationOrCode(host: MonitoredHost): IcingaCreation | 'icinga_name_invalid' {
  try {
    return hostCreation(host, placement);
  } catch (error) {
    if (isTaplineError(error, 'icinga_name_invalid')) return 'icinga_name_invalid';
    throw error;
  }
}

test('whatever a title says, only known attributes are sent, and no name that is none', () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, text, text, (title, name, checkTitle) => {
      const outcome = { state: 0, output: '' } as const;
      const checks = [{ name, title: checkTitle, outcome }];
      const host = { name: 'a', title, kind: 'device', outcome, checks };
      const made = creationOrCode(host);
      if (made === 'icinga_name_invalid') return;
      const { attrs, templates } = made;
      expect(Object.keys(attrs).toSorted()).toEqual(attributes);
      expect(templates).toEqual(['tapline-ours-host']);
      expect(Object.keys(attrs['vars.tapline_checks'] as object)).toEqual([name]);
      expect(name).toMatch(/^[A-Za-z0-9._-]+$/);
    }),
  );
});

test('performance data are as plugins write them', () => {
  const performance = [
    { label: 'free', value: 12e12, unit: 'B', warning: 1e9, critical: 1e8, min: 0 },
    { label: 'skew', value: -0.0012, unit: 's' },
    { label: 'share', value: 1 / 3, unit: '%', max: 100 },
    { label: 'none', value: Number.NaN },
  ] as const;
  expect(checkResult({ state: 1, output: 'a|b', performance }, 'ours')).toEqual({
    exit_status: 1,
    plugin_output: 'a¦b',
    check_source: 'ours',
    performance_data: [
      'free=12000000000000B;1000000000;100000000;0',
      'skew=-0.0012s',
      'share=0.333333%;;;;100',
      'none=0',
    ],
  });
});

test('with zones the templates are where satellites know them', () => {
  const zoned = {
    ...placement,
    zone: parseIcingaName('site-a'),
    globalZone: parseIcingaName('all'),
  };
  expect(Object.keys(registrationConfig(zoned))).toEqual(['zones.d/all/tapline.conf']);
  expect(Object.keys(registrationConfig(placement))).toEqual(['conf.d/tapline.conf']);
});
