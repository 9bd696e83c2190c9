import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { uploadLimit } from './upload-limit.ts';

function limitOf(method: string, url: string): unknown {
  return uploadLimit({ method, url } as IncomingMessage);
}

test('only the file for a device may take as long as it flows', () => {
  const device = '/apis/tapline.dev/v1alpha1/devices/d1';
  expect(limitOf('PUT', `${device}/upload?path=a`)).toMatchObject({ kind: 'silence' });
  expect(limitOf('PUT', `${device}/upload`)).toMatchObject({ kind: 'silence' });
  expect(limitOf('POST', `${device}/upload?path=a`)).toBeUndefined();
  expect(limitOf('PUT', `${device}/status`)).toBeUndefined();
  expect(limitOf('PUT', `${device}/uploads`)).toBeUndefined();
  expect(limitOf('PUT', '/apis/tapline.dev/v1alpha1/installs/upload')).toBeUndefined();
});
