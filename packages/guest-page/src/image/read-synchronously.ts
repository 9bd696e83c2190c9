import { TaplineError } from '@tapline/base';

/** Fetches a URL and waits for it: in a worker, that holds up nothing but the worker. */
export function readSynchronously(url: string): Uint8Array {
  const request = new XMLHttpRequest();
  request.open('GET', url, false);
  request.responseType = 'arraybuffer';
  request.send();
  if (request.status !== 200) {
    throw new TaplineError('registry_error', `${url} answered ${request.status}`);
  }
  return new Uint8Array(request.response as ArrayBuffer);
}
