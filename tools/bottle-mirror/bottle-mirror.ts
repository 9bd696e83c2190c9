import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { errorMessage, isTaplineError, type Log, silentLog, TaplineError } from '@tapline/base';

import { openAptRoot } from '../debian/apt-root.ts';
import { cacheFolder } from '../debian/cache-folder.ts';
import { answerApi } from './api-endpoints.ts';
import { loadSigningKey } from './api-signature.ts';
import type { Bottle } from './bottle.ts';
import { type BottleShelf, createBottleShelf } from './bottle-shelf.ts';
import { catalogue, implicitFormulae, otherVersions } from './catalogue.ts';
import { type Fault, findFault } from './fault.ts';
import { readFormulaFacts } from './formula-facts.ts';
import { createMirrorContent, type MirrorContent } from './mirror-content.ts';
import { planFormulae } from './plan-formulae.ts';
import { platforms, type PlatformTag } from './platform.ts';
import { answerRegistry, type BlobReply } from './registry-endpoints.ts';
import { type ApiRequest, jsonReply } from './reply.ts';
import { sendReply } from './send-reply.ts';

export interface BottleMirrorOptions {
  /** Where bottles and the signing key are kept; `~/.cache/tapline/bottles` when left out. */
  readonly cache?: string;
  /** Where Debian's packages are kept; `~/.cache/tapline/debian` when left out. */
  readonly debianCache?: string;
  /** Formulae to serve, with all they need; the whole catalogue when left out. */
  readonly formulae?: readonly string[];
  /** Platforms to have bottles for; both when left out. */
  readonly platforms?: readonly PlatformTag[];
  /** 0 or left out: a free one. */
  readonly port?: number;
  readonly host?: string;
  readonly faults?: readonly Fault[];
  readonly log?: Log;
}

export interface BottleMirror extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** What makes a Homebrew client use this mirror. */
  readonly environment: Readonly<
    Record<'HOMEBREW_API_DOMAIN' | 'HOMEBREW_ARTIFACT_DOMAIN' | 'TAPLINE_HOMEBREW_KEY_FILE', string>
  >;
  /** PEM file of the key that signs `formula.jws.json` (kid `homebrew-1`). */
  readonly publicKeyPath: string;
  /** All formulae served. */
  readonly formulae: readonly string[];
  /** Builds every bottle now rather than when it is asked for. */
  build(): Promise<void>;
}

/** Starts a mirror of Homebrew's API and registry with bottles made from Debian's packages. */
export async function startBottleMirror(options: BottleMirrorOptions = {}): Promise<BottleMirror> {
  const cache = options.cache ?? cacheFolder('bottles');
  const { faults = [], host = '127.0.0.1', log = silentLog } = options;
  const tags = options.platforms ?? (Object.keys(platforms) as readonly PlatformTag[]);
  const opening = tags.map(
    async (tag) => [tag, await openShelf(tag, cache, options.debianCache)] as const,
  );
  const shelves = new Map(await Promise.all(opening));
  const roots = options.formulae ?? catalogue.map(({ name }) => name);
  const unknown = roots.find((name) =>
    [...shelves.values()].every(({ plans }) => !plans.has(name)),
  );
  if (unknown !== undefined) {
    throw new TaplineError('formula_unknown', `the mirror has no formula ${unknown}`);
  }
  const content = createMirrorContent({
    shelves,
    facts: await readFormulaFacts(),
    faults,
    formulae: [...roots, ...implicitFormulae],
    buildOtherVersions: (formula) => buildOtherVersions(formula, shelves, options.debianCache),
    cache,
  });
  const key = await loadSigningKey(cache);
  const failures = new Map<Fault, number>();

  async function answer(request: ApiRequest): Promise<BlobReply> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return jsonReply(
        405,
        { error: `method ${request.method} is not allowed` },
        { allow: 'GET, HEAD' },
      );
    }
    const reply: BlobReply | undefined =
      (await answerApi(request, content, key)) ?? (await answerRegistry(request, content));
    if (reply === undefined) return jsonReply(404, { error: `nothing at ${request.path}` });
    const { bottle } = reply;
    const fault =
      bottle === undefined ? undefined : findFault(faults, 'server-error', bottle.formula);
    const failed = fault === undefined ? 0 : (failures.get(fault) ?? 0);
    if (fault === undefined || failed >= fault.times) return reply;
    failures.set(fault, failed + 1);
    return jsonReply(fault.status, { errors: [{ code: 'UNKNOWN', message: 'fault injected' }] });
  }

  const server = createServer((request, response) => {
    void serve(request, response, { answer, faults, log });
  });
  server.listen(options.port ?? 0, host);
  await once(server, 'listening');
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  return {
    url,
    environment: {
      HOMEBREW_API_DOMAIN: `${url}/api`,
      HOMEBREW_ARTIFACT_DOMAIN: url,
      TAPLINE_HOMEBREW_KEY_FILE: key.publicKeyPath,
    },
    publicKeyPath: key.publicKeyPath,
    formulae: content.formulae,
    build: () => buildAll(content),
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Serving {
  readonly answer: (request: ApiRequest) => Promise<BlobReply>;
  readonly faults: readonly Fault[];
  readonly log: Log;
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { answer, faults, log }: Serving,
): Promise<void> {
  const { method = 'GET', headers } = request;
  const origin = `http://${headers.host ?? ''}`;
  const path = (request.url ?? '/').replace(/\?.*$/, '');
  try {
    await sendReply(request, response, await answer({ method, path, headers, origin }), faults);
  } catch (error) {
    log.error('request failed', { method, path, error: errorMessage(error) });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const status = isTaplineError(error, 'apt_unreachable') ? 503 : 500;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: errorMessage(error) }));
  }
}

async function openShelf(
  tag: PlatformTag,
  cache: string,
  debianCache: string | undefined,
): Promise<BottleShelf> {
  const platform = platforms[tag];
  const root = await openAptRoot({
    suite: 'bookworm',
    architecture: platform.debian,
    ...(debianCache !== undefined && { cache: debianCache }),
  });
  // Always the whole catalogue: which libraries share a keg must not depend on what is served.
  const plans = await planFormulae(root, catalogue);
  const glibcVersion = plans.get('glibc')?.version ?? '';
  return createBottleShelf({ platform, root, plans, cache, glibcVersion });
}

async function buildOtherVersions(
  formula: string,
  shelves: ReadonlyMap<PlatformTag, BottleShelf>,
  debianCache: string | undefined,
): Promise<readonly (readonly Bottle[])[]> {
  const versions = otherVersions.filter(({ name }) => name === formula);
  const entries = catalogue.filter(({ name }) => name === formula);
  const glibc = catalogue.filter(({ name }) => name === 'glibc');
  return Promise.all(
    versions.map(({ suite }) =>
      Promise.all(
        [...shelves].map(async ([tag, shelf]) => {
          const root = await openAptRoot({
            suite,
            architecture: platforms[tag].debian,
            ...(debianCache !== undefined && { cache: debianCache }),
          });
          const plans = await planFormulae(root, [...entries, ...glibc]);
          const plan = plans.get(formula);
          if (plan === undefined) throw new RangeError(`no plan for ${formula} in ${suite}`);
          return shelf.build(plan, root, plans.get('glibc')?.version ?? '');
        }),
      ),
    ),
  );
}

async function buildAll(content: MirrorContent): Promise<void> {
  await Promise.all(content.formulae.map((name) => content.formula(name)));
  await Promise.all(content.formulae.map((name) => content.releases(name, true)));
}
