import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { TaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';
import { devicePagePath } from '@tapline/gateway';

const timeoutMs = 10_000;

/** Makes sure that a control plane serves the page: a link to none would waste its token. */
export async function checkDevicePage(context: KubeconfigContext): Promise<void> {
  const url = new URL(devicePagePath, context.baseUrl);
  const asked = request(url, {
    method: 'HEAD',
    timeout: timeoutMs,
    ...(context.ca === undefined ? {} : { ca: context.ca }),
  });
  asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)));
  asked.end();
  let response: IncomingMessage;
  try {
    [response] = (await once(asked, 'response')) as [IncomingMessage];
  } catch (cause) {
    throw new TaplineError('gateway_unreachable', `${url.href} does not answer`, { cause });
  }
  response.resume();
  if (response.statusCode === 200) return;
  throw new TaplineError(
    'device_page_off',
    `the control plane serves no page for devices: ${url.href} answered ${response.statusCode}`,
    { hint: 'start it with `tapline up --device-page`' },
  );
}

/** Where browsers reach the page by another name, as behind a proxy. Pages have keys over HTTPS only. */
export function parsePageUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.pathname === '/') return url.href;
  throw new TaplineError(
    'usage',
    `--page-url is ${JSON.stringify(text)}; it must be https:// and a host, with the page at ${devicePagePath} of it`,
  );
}
