import { setImmediate as nextTurn } from 'node:timers/promises';
import { answerJson, type Exchange, type RegistryState } from './exchange.ts';

const maxNames = 1000;
/** Names that are looked at in one turn of the event loop. */
const pageSize = 200;

/**
 * GET of `_catalog`, with `n` and `last`: the repositories that the caller may pull from. Others are
 * as if they were not there; the link to the next page names none of them either.
 */
export async function serveCatalog(state: RegistryState, exchange: Exchange): Promise<void> {
  const asked = exchange.query.get('n');
  const limit =
    asked !== null && /^\d{1,9}$/.test(asked) ? Math.min(Number(asked), maxNames) : maxNames;
  const first = exchange.query.get('last') ?? '';
  // One more says whether another page follows.
  const names = await visibleNames(state, exchange, { last: first, limit: limit + 1 });
  const repositories = names.slice(0, limit);
  const next = new URLSearchParams({ n: String(limit), last: repositories.at(-1) ?? first });
  answerJson(
    exchange,
    { repositories },
    names.length > limit && limit > 0
      ? { link: `</v2/_catalog?${next.toString()}>; rel="next"` }
      : {},
  );
}

async function visibleNames(
  { catalog }: RegistryState,
  { access, request }: Exchange,
  page: { readonly last: string; readonly limit: number },
): Promise<readonly string[]> {
  const visible: string[] = [];
  let { last } = page;
  for (;;) {
    const found = catalog.repositories({ last, limit: pageSize });
    for (const { name } of found) {
      if ((await access({ repository: name, action: 'list' })) !== 'allowed') continue;
      visible.push(name);
      if (visible.length === page.limit) return visible;
    }
    if (found.length < pageSize || request.socket.destroyed) return visible;
    last = found.at(-1)?.name ?? last;
    await nextTurn();
  }
}
