import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseIcingaName } from '../icinga/icinga-name.ts';
import { activeChecksConfig } from './active-checks-config.ts';
import { checkLine } from './check-line.ts';

const instance = parseIcingaName('site-a');
const checks = {
  command: '/usr/bin/tapline',
  kubeconfig: '/etc/icinga2/tapline.kubeconfig',
  everySeconds: 300,
  prefix: 'edge-',
};

test('each check is a command and a service on its kinds of hosts', () => {
  const text = activeChecksConfig(instance, checks);
  expect([...text.matchAll(/object CheckCommand "(.+)"/g)].map(([, name]) => name)).toEqual([
    'tapline-site-a-hit-ratio',
    'tapline-site-a-stream',
    'tapline-site-a-segment',
    'tapline-site-a-tunnel',
    'tapline-site-a-certificate',
  ]);
  expect(text).toContain('command = [ "/usr/bin/tapline", "check", "stream" ]');
  expect(text).toContain('"--behind-warning" = "$tapline_behind_warning$"');
  // `edge-channel_news` is the channel news.
  expect(text).toContain(`vars.tapline_name = host.name.substr(${'edge-channel_'.length})`);
});

test('no path becomes anything else than a path', () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      const command = `/usr/bin/${text}`;
      if (/^[A-Za-z0-9._/-]*$/.test(text)) return;
      refused += 1;
      expect(() => activeChecksConfig(instance, { ...checks, command })).toThrow(
        /cannot be a path in Icinga/,
      );
    }),
    { seed: 8, numRuns: 200 },
  );
  expect(refused).toBeGreaterThan(50);
});

test('a line is for people before the bar and for machines behind it', () => {
  const performance = [{ label: 'rtt', value: 0.02, unit: 's', warning: 1, critical: 5 }] as const;
  expect(checkLine({ state: 1, output: 'slow | $HOME', performance })).toBe(
    'WARNING: slow ¦ ＄HOME | rtt=0.02s;1;5\n',
  );
  expect(checkLine({ state: 3, output: 'nobody knows' })).toBe('UNKNOWN: nobody knows\n');
});
