import { describe, expect, test } from 'vitest';
import { parseForwardSpec } from './forward-spec.ts';

describe('ports of a forward', () => {
  test.each([
    ['8080:80', { listen: 8080, to: 80 }],
    ['80', { listen: 80, to: 80 }],
    ['0:65535', { listen: 0, to: 65_535 }],
  ])('%s', (text, spec) => {
    expect(parseForwardSpec(text)).toEqual(spec);
  });

  test.each(['', '80:', ':80', '0', '80:0', '65536:80', '80:65536', 'a:80', '1:2:3', '-1:80'])(
    '%j is none',
    (text) => {
      expect(() => parseForwardSpec(text)).toThrow('is not PORT:PORT');
    },
  );
});
