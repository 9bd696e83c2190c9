import { expect, test } from 'vitest';
import { formatJoinLink } from './join-link.ts';

test.each([
  ['https://127.0.0.1:7443', 'https://127.0.0.1:7443/device/#tlj.join-1.a_b-c.d'],
  [
    'https://tapline.example.net/other?x=1',
    'https://tapline.example.net/device/#tlj.join-1.a_b-c.d',
  ],
])('%s', (server, link) => {
  expect(formatJoinLink(server, 'tlj.join-1.a_b-c.d')).toBe(link);
});
