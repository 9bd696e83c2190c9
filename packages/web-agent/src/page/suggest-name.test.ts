import { seededRng } from '@tapline/base';
import { expect, test } from 'vitest';
import { suggestName } from './suggest-name.ts';

test.each([
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15', 5, 'ipad'],
  ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15', 0, 'browser'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)', 5, 'iphone'],
  ['Mozilla/5.0 (X11; Linux x86_64) Chrome/156', 0, 'browser'],
])('%s with %i', (userAgent, maxTouchPoints, kind) => {
  const name = suggestName({ userAgent, maxTouchPoints }, seededRng(1));
  expect(name).toMatch(new RegExp(`^${kind}-[a-z0-9]{5}$`));
});
