import { expect, test } from 'vitest';

import { upstreamVersion } from './upstream-version.ts';

test.each([
  ['1.6-2.1+deb12u2', '1.6'],
  ['1:2.39.5-0+deb12u3', '2.39.5'],
  ['1:1.2.13.dfsg-1', '1.2.13'],
  ['2:6.2.1+dfsg1-1.1', '6.2.1'],
  ['2.4+20151223.gitfa8646d.1-2+b2', '2.4'],
  ['5.2.15-2+b8', '5.2.15'],
  ['3.0~rc1-1', '3.0'],
  ['2.10', '2.10'],
])('%s → %s', (debian, upstream) => {
  expect(upstreamVersion(debian)).toBe(upstream);
});
