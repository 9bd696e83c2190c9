import { TaplineError } from '@tapline/base';
import type { ConsoleDecision, ConsoleSwitch } from '@tapline/ops-console';
import { z } from 'zod';

/** Where a person's decisions are sent. */
type BodyPath = '/api/approval' | '/api/switch';

/** All that can be asked for. */
export type ConsoleRoute =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'watch' }
  | { readonly kind: 'body'; readonly path: BodyPath };

export type ConsoleOrder =
  | { readonly kind: 'approval'; readonly body: ConsoleDecision }
  | { readonly kind: 'switch'; readonly body: ConsoleSwitch };

const files: Readonly<Record<string, string>> = {
  '/': 'index.html',
  '/console.js': 'console.js',
  '/console.css': 'console.css',
};
const reason = z.string().max(1024).optional();
const bodies = {
  '/api/approval': z.strictObject({
    // The name of an object: nothing else gets into a path.
    name: z
      .string()
      .max(253)
      .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/),
    // The whole digest of what was shown, and not its beginning.
    digest: z.string().regex(/^[0-9a-f]{64}$/),
    decision: z.enum(['Approved', 'Rejected']),
    reason,
  }),
  '/api/switch': z.strictObject({ paused: z.boolean(), reason }),
};

/** What a request is for, before who asks is looked at; throws `not_found` and `method_not_allowed`. */
export function consoleRoute(request: {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}): ConsoleRoute {
  const { method = '', url = '' } = request;
  const isRead = method === 'GET';
  const file = Object.hasOwn(files, url) ? files[url] : undefined;
  const isChange = url === '/api/approval' || url === '/api/switch';
  if (file === undefined && url !== '/api/watch' && !isChange) {
    throw new TaplineError('not_found', 'the console has nothing of that name');
  }
  if (isChange !== (method === 'POST') || (!isChange && !isRead)) {
    throw new TaplineError(
      'method_not_allowed',
      `${JSON.stringify(method)} is not for ${url}: ${isChange ? 'POST' : 'GET'} is`,
    );
  }
  if (file !== undefined) return { kind: 'file', file };
  return isChange ? { kind: 'body', path: url } : { kind: 'watch' };
}

/** What a person decided; throws `bad_request`. */
export function parseConsoleBody(path: BodyPath, text: string): ConsoleOrder {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new TaplineError('bad_request', 'the page has sent no JSON', { cause });
  }
  if (path === '/api/approval') {
    return { kind: 'approval', body: parsed(bodies[path].safeParse(value)) };
  }
  return { kind: 'switch', body: parsed(bodies[path].safeParse(value)) };
}

function parsed<T>(result: z.ZodSafeParseResult<T>): T {
  if (result.success) return result.data;
  throw new TaplineError('bad_request', `the page has sent ${z.prettifyError(result.error)}`);
}
