import { expect, test } from 'vitest';
import { checkCaller, checkHost } from './check-caller.ts';

const port = 8090;
const secret = 's'.repeat(43);
const page = {
  host: '127.0.0.1:8090',
  origin: 'http://127.0.0.1:8090',
  'sec-fetch-site': 'same-origin',
  'x-tapline-console': secret,
};

function codeOf(headers: object, method = 'POST'): string {
  try {
    checkCaller({ headers: { ...page, ...headers }, port }, { secret, method });
    return 'let in';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test('its page is let in, by both names of this machine', () => {
  expect(codeOf({})).toBe('let in');
  expect(codeOf({ host: 'localhost:8090', origin: 'http://localhost:8090' })).toBe('let in');
  expect(codeOf({ origin: undefined, 'sec-fetch-site': undefined }, 'GET')).toBe('let in');
});

test.each([
  ['a name that was made to lead here', { host: 'evil.example:8090' }],
  ['that name with its own origin', { host: 'evil.example', origin: 'http://evil.example' }],
  ['no name', { host: undefined }],
  ['another port', { host: '127.0.0.1:8091' }],
  ['a port that only begins so', { host: '127.0.0.1:80901' }],
  ['a page of elsewhere', { origin: 'https://evil.example' }],
  ['a page of another port', { origin: 'http://127.0.0.1:3000' }],
  ['the other name of this machine', { origin: 'http://localhost:8090' }],
  ['a page of a file or a frame', { origin: 'null' }],
  ['no origin for what changes something', { origin: undefined }],
  ['another site', { 'sec-fetch-site': 'cross-site' }],
  ['another port of the same site', { 'sec-fetch-site': 'same-site' }],
  ['an address that somebody typed', { 'sec-fetch-site': 'none' }],
])('%s is refused', (_, headers) => {
  expect(codeOf(headers)).toBe('forbidden');
});

test.each([
  ['none', undefined],
  ['an empty one', ''],
  ['its beginning', secret.slice(1)],
  ['more than it', `${secret}s`],
  ['two', [secret, secret]],
])('%s is not the secret', (_, given) => {
  expect(codeOf({ 'x-tapline-console': given })).toBe('console_secret_missing');
  expect(codeOf({ 'x-tapline-console': given }, 'GET')).toBe('console_secret_missing');
});

test('who only asks for the page has to come by its name, too', () => {
  expect(() => checkHost({ headers: { host: 'localhost:8090' }, port })).not.toThrow();
  expect(() => checkHost({ headers: { host: 'evil.example:8090' }, port })).toThrow('8090');
});
