import { expect, test } from 'vitest';
import { parseListenAddress } from './listen-address.ts';

test.each([
  ['127.0.0.1:7443', { host: '127.0.0.1', port: 7443 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  [':80', { host: '0.0.0.0', port: 80 }],
  ['localhost:1', { host: 'localhost', port: 1 }],
])('%s', (text, expected) => {
  expect(parseListenAddress(text)).toEqual(expected);
});

test.each(['7443', '127.0.0.1', '::1:80', 'a:65536', 'a:b'])('%s is refused', (text) => {
  expect(() => parseListenAddress(text)).toThrow('is not HOST:PORT');
});
