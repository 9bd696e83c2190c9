import { createHash, randomBytes } from 'node:crypto';
import { ByteConnection, type CountedAnswer } from './byte-connection.ts';

const mebibyte = 1024 * 1024;

/** Content to push: a head that makes it unlike any other, and a body that is shared. */
export interface Content {
  readonly digest: string;
  readonly parts: readonly Uint8Array[];
  readonly size: number;
}

/** Different contents of the same size, hashed beforehand. */
export function contents(count: number, size = mebibyte): readonly Content[] {
  const shared = randomBytes(size - 32);
  return Array.from({ length: count }, () => {
    const own = randomBytes(32);
    const digest = `sha256:${createHash('sha256').update(own).update(shared).digest('hex')}`;
    return { digest, parts: [own, shared], size };
  });
}

function head(method: string, path: string, more = ''): string {
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r\n`;
}

/** POST, then PUT: what most clients do. */
export async function pushContent(
  connection: ByteConnection,
  repository: string,
  content: Content,
): Promise<void> {
  const opened = await connection.send(
    head('POST', `/v2/${repository}/blobs/uploads/`, 'Content-Length: 0\r\n'),
  );
  const location = /\r\nlocation: (\S+)/i.exec(opened.head)?.[1] ?? '';
  const url = new URL(location, 'http://127.0.0.1');
  url.searchParams.set('digest', content.digest);
  const answer = await connection.send(
    head(
      'PUT',
      `${url.pathname}${url.search}`,
      `Content-Type: application/octet-stream\r\nContent-Length: ${content.size}\r\n`,
    ),
    content.parts,
  );
  assertStatus(answer, 201);
}

export async function pushManifest(
  connection: ByteConnection,
  name: { readonly repository: string; readonly tag: string },
  layers: readonly Content[],
): Promise<void> {
  const [config, ...rest] = layers.map(({ digest, size }) => ({ digest, size }));
  const body = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: rest.map((layer) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        ...layer,
      })),
    }),
  );
  const answer = await connection.send(
    head(
      'PUT',
      `/v2/${name.repository}/manifests/${name.tag}`,
      `Content-Type: application/vnd.oci.image.manifest.v1+json\r\nContent-Length: ${body.length}\r\n`,
    ),
    [body],
  );
  assertStatus(answer, 201);
}

/** Requests a second, and the times of each in milliseconds. */
export interface Load {
  readonly perSecond: number;
  readonly times: readonly number[];
}

/** Keeps `concurrency` GETs under way for a time, or until `until` settles. */
export async function getRepeatedly(
  port: number,
  path: string,
  options: { readonly concurrency: number; readonly ms: number; readonly until?: Promise<unknown> },
): Promise<Load> {
  const { concurrency, ms, until } = options;
  const request = head('GET', path, 'Accept: application/vnd.oci.image.manifest.v1+json\r\n');
  const times: number[] = [];
  const started = performance.now();
  let isOver = false;
  void until?.then(() => (isOver = true));
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      using connection = await ByteConnection.open(port);
      while (until === undefined ? performance.now() - started < ms : !isOver) {
        const before = performance.now();
        assertStatus(await connection.send(request), 200);
        times.push(performance.now() - before);
      }
    }),
  );
  return { perSecond: (times.length * 1000) / (performance.now() - started), times };
}

/** Pushes all of `all` over `concurrency` connections and answers how many that were a second. */
export async function pushAll(
  port: number,
  all: readonly Content[],
  options: { readonly concurrency: number; readonly repository: string },
): Promise<number> {
  const queue = all.values();
  const started = performance.now();
  await Promise.all(
    Array.from({ length: options.concurrency }, async () => {
      using connection = await ByteConnection.open(port);
      for (const content of queue) await pushContent(connection, options.repository, content);
    }),
  );
  return (all.length * 1000) / (performance.now() - started);
}

function assertStatus({ status, head: text }: CountedAnswer, wanted: number): void {
  if (status !== wanted) throw new Error(`answered ${status}: ${text.slice(0, 300)}`);
}
