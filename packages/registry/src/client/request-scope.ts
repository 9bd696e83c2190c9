import type { HttpRequest } from './http-transport.ts';

/**
 * What a request needs to be allowed, in the words of token authentication
 * (`repository:team/jq:pull,push`); none for the ping.
 */
export function requestScopes(method: HttpRequest['method'], url: URL): readonly string[] {
  if (url.pathname === '/v2/_catalog') return ['registry:catalog:*'];
  const [, name] =
    /^\/v2\/(.+)\/(?:blobs|manifests|tags|referrers)\//.exec(decodeURI(url.pathname)) ?? [];
  if (name === undefined) return [];
  const own = `repository:${name}:${actions(method)}`;
  const from = url.searchParams.get('from');
  return from === null ? [own] : [own, `repository:${from}:pull`];
}

function actions(method: HttpRequest['method']): string {
  if (method === 'GET' || method === 'HEAD') return 'pull';
  return method === 'DELETE' ? 'delete,pull,push' : 'pull,push';
}
