import type { IncomingMessage, ServerResponse } from 'node:http';
import { type MetricsFormat, metricsFormat } from '@tapline/telemetry';
import type { AccessControl } from '../access/authorize.ts';
import type { RbacPolicy } from '../access/rbac-policy.ts';
import { apiError } from '../api-error.ts';
import type { Identity } from '../identity.ts';
import { reviewAccess } from './access-review.ts';
import type { Discovery } from './discovery.ts';
import { negotiateDiscovery } from './negotiate.ts';
import type { OpenApiDocuments } from './openapi.ts';
import { mediaType } from './media-type.ts';
import { parseObjectBody } from './parse-body.ts';
import { readBody } from './read-body.ts';
import type { RequestPath } from './request-path.ts';
import { sendJson } from './respond.ts';

export interface StaticPagesInit {
  readonly discovery: Discovery;
  readonly openApi: OpenApiDocuments;
  readonly access: AccessControl;
  readonly policy: RbacPolicy;
  readonly version: string;
  /** Whether the server can answer; readyz says so. */
  readonly ready: () => boolean;
  readonly metrics: (
    format: MetricsFormat,
  ) => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly maxBodyBytes: number;
}

/** What is served beside resources: discovery, OpenAPI, health, version, metrics, reviews. */
export class StaticPages {
  readonly #init: StaticPagesInit;
  readonly #version: string;

  constructor(init: StaticPagesInit) {
    this.#init = init;
    // kubectl compares major and minor with its own: this is the Kubernetes whose API is spoken.
    this.#version = JSON.stringify({
      major: '1',
      minor: '32',
      gitVersion: `v1.32.0+tapline-${init.version}`,
      gitCommit: '',
      gitTreeState: '',
      buildDate: '1970-01-01T00:00:00Z',
      goVersion: '',
      compiler: 'node',
      platform: `${process.platform}/${process.arch}`,
    });
  }

  async serve(
    request: IncomingMessage,
    response: ServerResponse,
    about: { readonly path: string; readonly identity: Identity },
  ): Promise<void> {
    const { identity } = about;
    const path = about.path.length > 1 ? about.path.replace(/\/$/, '') : about.path;
    const { access, discovery, openApi, ready } = this.#init;
    const verb = (request.method ?? 'GET').toLowerCase();
    if (!access.allowsPath(identity, verb === 'head' ? 'get' : verb, path)) {
      throw apiError(
        'forbidden',
        `forbidden: User ${JSON.stringify(identity.user)} cannot ${verb} path ${JSON.stringify(path.slice(0, 256))}`,
      );
    }
    switch (path) {
      case '/healthz':
      case '/livez':
        sendText(response, 200, 'ok');
        return;
      case '/readyz':
        sendText(response, ready() ? 200 : 503, ready() ? 'ok' : 'not ready');
        return;
      case '/version':
        await sendJson(response, 200, this.#version);
        return;
      case '/metrics': {
        const { contentType, text } = await this.#init.metrics(
          metricsFormat(request.headers.accept),
        );
        response.setHeader('Content-Type', contentType);
        response.writeHead(200).end(text);
        return;
      }
      case '/api':
      case '/apis': {
        const version = negotiateDiscovery(request.headers.accept);
        if (version !== undefined) {
          const contentType = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
          const root = path === '/api' ? 'api' : 'apis';
          await sendJson(response, 200, discovery.aggregated(root, version), { contentType });
          return;
        }
        break;
      }
      default:
        break;
    }
    const document = discovery.documents.get(path) ?? openApi.get(path);
    if (document === undefined) throw unknownPath(path);
    await sendJson(response, 200, document);
  }

  /** Questions about access, which are asked like resources and not stored. */
  async review(
    request: IncomingMessage,
    response: ServerResponse,
    about: {
      readonly target: Extract<RequestPath, { kind: 'resource' }>;
      readonly identity: Identity;
    },
  ): Promise<void> {
    const { access, policy, maxBodyBytes } = this.#init;
    const { target, identity } = about;
    const { group, version, plural, name } = target;
    const known =
      (group === 'authorization.k8s.io' || group === 'authentication.k8s.io') && version === 'v1';

    if (!known || name !== undefined) throw unknownPath(request.url ?? '');
    const decision = access.decide({
      identity,
      verb: 'create',
      group,
      resource: plural,
      subresource: '',
      namespace: undefined,
      name: undefined,
      requiredField: undefined,
    });
    if (!decision.allowed)
      throw apiError('forbidden', `${plural} is forbidden: ${decision.reason}`);
    if (request.method !== 'POST')
      throw apiError('method_not_allowed', `${plural} takes POST only`);
    const bytes = await readBody(request, maxBodyBytes);
    const body = parseObjectBody(bytes, mediaType(request));
    const answer = reviewAccess(plural, body, { identity, access, policy });
    if (answer === undefined) throw unknownPath(request.url ?? '');
    await sendJson(response, 201, JSON.stringify(answer));
  }
}

function sendText(response: ServerResponse, code: number, text: string): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.writeHead(code).end(text);
}

/** Kubernetes's words, by which clients tell a missing kind from a missing object. */
function unknownPath(_path: string): Error {
  return apiError('not_found', 'the server could not find the requested resource');
}
