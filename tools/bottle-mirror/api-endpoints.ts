import { type SigningKey, signApiDocument } from './api-signature.ts';
import type { MirrorContent } from './mirror-content.ts';
import { type ApiRequest, bytesReply, conditional, jsonReply, type Reply } from './reply.ts';

/** Answers below `/api`, as https://formulae.brew.sh/api does; undefined for other paths. */
export async function answerApi(
  request: ApiRequest,
  content: MirrorContent,
  key: SigningKey,
): Promise<Reply | undefined> {
  const { path } = request;
  if (!path.startsWith('/api/')) return undefined;
  if (path === '/api/formula.json')
    return json(JSON.stringify(await allFormulae(content)), request);
  if (path === '/api/formula.jws.json') {
    const payload = JSON.stringify(await allFormulae(content));
    return json(signApiDocument(payload, key), request);
  }
  const name = /^\/api\/formula\/([^/]+)\.json$/.exec(path)?.[1];
  const formula = name === undefined ? undefined : await content.formula(name);
  if (formula === undefined) return jsonReply(404, { error: `no API document ${path}` });
  return json(JSON.stringify(formula), request);
}

async function allFormulae(content: MirrorContent): Promise<readonly unknown[]> {
  return Promise.all(content.formulae.map((name) => content.formula(name)));
}

function json(text: string, request: ApiRequest): Reply {
  const bytes = Buffer.from(text);
  const reply = bytesReply(200, bytes, { 'content-type': 'application/json; charset=utf-8' });
  return conditional({ ...reply, body: { kind: 'bytes', bytes } }, request);
}
