import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProcess } from './start-process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Debian's docker-registry (the distribution project's, 2.8) on a free port of loopback. */
export interface DockerRegistry extends AsyncDisposable {
  readonly url: string;
  /** `127.0.0.1:<port>`. */
  readonly host: string;
}

/** Starts it over a folder of its own; deletes are allowed. It has no referrers API. */
export async function startDockerRegistry(
  options: {
    /** How it asks who somebody is; anybody may do everything where left out. */
    readonly auth?:
      | { readonly kind: 'htpasswd'; readonly path: string }
      | {
          readonly kind: 'token';
          readonly realm: string;
          readonly service: string;
          readonly issuer: string;
          readonly certificates: string;
        };
  } = {},
): Promise<DockerRegistry> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const configuration = {
    version: 0.1,
    log: { level: 'info', formatter: 'json', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: join(folder.path, 'data') },
      delete: { enabled: true },
    },
    http: { addr: '127.0.0.1:0', secret: 'of tests' },
    ...(options.auth !== undefined && { auth: authSection(options.auth) }),
  };
  const path = join(folder.path, 'config.yml');
  // JSON is YAML.
  await writeFile(path, JSON.stringify(configuration));
  const running = opened.use(
    await startProcess('docker-registry', ['serve', path], {
      readyLine: /listening on (127\.0\.0\.1:\d+)/,
    }),
  );
  const host = running.ready?.[1] ?? '';
  const owned = opened.move();
  return {
    url: `http://${host}`,
    host,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function authSection(
  auth: NonNullable<NonNullable<Parameters<typeof startDockerRegistry>[0]>['auth']>,
): unknown {
  if (auth.kind === 'htpasswd') return { htpasswd: { realm: 'tests', path: auth.path } };
  const { realm, service, issuer, certificates } = auth;
  return { token: { realm, service, issuer, rootcertbundle: certificates } };
}
