import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type StartedProcess, startProcess } from '@tapline/testing';

export interface Nginx extends AsyncDisposable {
  readonly port: number;
  readonly tlsPort: number;
}

/** Debian's nginx as a cache before an origin, one worker on the first core, without tcp_nopush. */
export async function startNginx(init: {
  readonly folder: string;
  readonly origin: string;
  readonly certificate: string;
}): Promise<Nginx> {
  const { folder, origin, certificate } = init;
  const [port, tlsPort] = [await freePort(), await freePort()];
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const configuration = `
worker_processes 1; daemon off; user root; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush off; keepalive_requests 100000000;
  open_file_cache max=1000 inactive=600s;
  proxy_cache_path ${folder}/cache levels=1:2 keys_zone=edge:10m max_size=4g inactive=1d;
  proxy_temp_path ${folder}/temporary;
  server {
    listen 127.0.0.1:${port}; listen 127.0.0.1:${tlsPort} ssl;
    ssl_certificate ${certificate}/cert.pem; ssl_certificate_key ${certificate}/key.pem;
    location / { proxy_pass ${origin}; proxy_cache edge; proxy_cache_lock on; }
  }
}`;
  const path = join(folder, 'nginx.conf');
  await writeFile(path, configuration);
  const running: StartedProcess = await startProcess('taskset', ['-c', '0', 'nginx', '-c', path], {
    readyUrl: `http://127.0.0.1:${port}/small`,
  });
  return { port, tlsPort, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

/** One that was free a moment ago: nginx cannot tell which it took. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
