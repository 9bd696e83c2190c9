import { TaplineError } from '@tapline/base';
import { type Descriptor, type Digest, mediaTypes } from '@tapline/oci';
import { answerJson, type Exchange, type RegistryState } from './exchange.ts';

const maxTags = 1000;
const maxReferrers = 1000;
/** Clients take no larger index than the largest manifest. */
const maxReferrerBytes = 3 * 1024 * 1024;

/** GET of `tags/list`, with `n` and `last`. */
export function serveTags(state: RegistryState, exchange: Exchange, repository: string): void {
  if (!state.catalog.hasRepository(repository)) {
    throw new TaplineError('name_unknown', `repository ${repository} does not exist`);
  }
  const asked = exchange.query.get('n');
  const limit =
    asked !== null && /^\d{1,9}$/.test(asked) ? Math.min(Number(asked), maxTags) : maxTags;
  const last = exchange.query.get('last') ?? '';
  const found = state.catalog.tags(repository, { last, limit: limit + 1 });
  const tags = found.slice(0, limit);
  const next = new URLSearchParams({ n: String(limit), last: tags.at(-1) ?? last });
  answerJson(
    exchange,
    { name: repository, tags },
    found.length > limit && limit > 0
      ? { link: `</v2/${repository}/tags/list?${next.toString()}>; rel="next"` }
      : {},
  );
}

/**
 * GET of `referrers/<digest>`: an index, empty where nothing refers to the digest. Where there are
 * many it comes in pages (OCI distribution 1.1, "Listing Referrers").
 */
export function serveReferrers(
  state: RegistryState,
  exchange: Exchange,
  subject: { readonly repository: string; readonly digest: Digest },
): void {
  const { repository, digest } = subject;
  const artifactType = exchange.query.get('artifactType');
  const last = exchange.query.get('last') ?? '';
  const page = state.catalog.referrers(repository, digest, { last, limit: maxReferrers + 1 });
  const { shown, end } = onePage(page);
  const manifests =
    artifactType === null ? shown : shown.filter((found) => found.artifactType === artifactType);
  const next = new URLSearchParams({
    ...(artifactType !== null && { artifactType }),
    ...(end !== undefined && { last: end }),
  });
  answerJson(
    exchange,
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    {
      'content-type': mediaTypes.ociIndex,
      ...(artifactType !== null && { 'oci-filters-applied': 'artifactType' }),
      ...(end !== undefined && {
        link: `</v2/${repository}/referrers/${digest}?${next.toString()}>; rel="next"`,
      }),
    },
  );
}

/** As many descriptors as fit; `end` is the last of them where more follow. */
function onePage(found: readonly Descriptor[]): {
  readonly shown: readonly Descriptor[];
  readonly end: Digest | undefined;
} {
  let bytes = 0;
  let count = 0;
  for (const descriptor of found.slice(0, maxReferrers)) {
    bytes += JSON.stringify(descriptor).length;
    if (bytes > maxReferrerBytes && count > 0) break;
    count += 1;
  }
  const shown = found.slice(0, count);
  return { shown, end: count < found.length ? shown.at(-1)?.digest : undefined };
}
