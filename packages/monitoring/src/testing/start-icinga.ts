import { execFileSync } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { haveProgram, startProcess, type StartedProcess, temporaryFolder } from '@tapline/testing';
import type { IcingaEndpoint } from '../icinga/icinga-endpoint.ts';
import { icingaPermissions } from '../icinga/icinga-permissions.ts';

/** A real Icinga 2 in a temporary folder, with an account of just the needed permissions. */
export interface RunningIcinga extends AsyncDisposable {
  readonly folder: string;
  readonly port: number;
  readonly endpoint: IcingaEndpoint;
  /** The same by a client's certificate. */
  readonly certified: IcingaEndpoint;
  /** An account that may do everything, for what somebody else does. */
  readonly administrator: IcingaEndpoint;
  output(): string;
  /** Reads its configuration anew, as an administrator has it do. */
  reload(): void;
  /** Ends all of its processes at once. */
  crash(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** Starts it again on the same port and folder. */
  restart(): Promise<void>;
}

export function icingaUnavailable(): string | undefined {
  const missing = ['icinga2', 'openssl'].filter((program) => !haveProgram(program));
  return missing.length === 0 ? undefined : `(needs ${missing.join(', ')})`;
}

const password = 'for tests only';

/** One of several that share an authority, in a zone of its own. */
export interface IcingaPlace {
  readonly name: string;
  readonly port: number;
  /** Endpoints and zones, in Icinga's language. */
  readonly zones: string;
  /** The folder of another one, whose authority signs this one's certificate; absent: its own. */
  readonly authority?: string;
}

export async function startIcinga(place?: IcingaPlace): Promise<RunningIcinga> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const port = place?.port ?? (await freePort());
  const name = place?.name ?? 'localhost';
  // As root it gives its rights up for the user that Debian made for it.
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? 'nagios' : userInfo().username;
  const id = (flag: string): string =>
    execFileSync('id', [flag, user], { encoding: 'utf8' }).trim();
  const [group, uid, gid] = [id('-gn'), Number(id('-u')), Number(id('-g'))];
  const at = (...parts: string[]): string => join(folder.path, ...parts);
  const folders = ['', 'conf', 'data', 'data/certs', 'data/api', 'log', 'cache', 'run'];
  for (const one of [...folders, 'spool', 'spool/perfdata', 'spool/tmp', 'pki']) {
    mkdirSync(at(one), { recursive: true });
    own(at(one));
  }
  const constants = {
    ConfigDir: at('conf'),
    DataDir: at('data'),
    LogDir: at('log'),
    CacheDir: at('cache'),
    InitRunDir: at('run'),
    SpoolDir: at('spool'),
    Concurrency: '2',
  };
  const defines = Object.entries(constants).flatMap(([key, value]) => ['-D', `${key}=${value}`]);
  const env = { ICINGA2_USER: user, ICINGA2_GROUP: group };
  const ca = { key: at('pki/ca.key'), cert: at('data/certs/ca.crt') };
  if (place?.authority === undefined) {
    openssl('req', '-x509', ...newKey(ca.key), '-out', ca.cert, '-days', '30', '-subj', '/CN=test');
  } else {
    copyFileSync(join(place.authority, 'pki/ca.key'), ca.key);
    copyFileSync(join(place.authority, 'data/certs/ca.crt'), ca.cert);
  }
  certify(name, at(`data/certs/${name}`));
  certify('tapline', at('pki/tapline'));
  const caPem = readFileSync(ca.cert, 'utf8');
  writeOwned(at('conf/icinga2.conf'), configuration({ name, port, zones: place?.zones }));

  let running: StartedProcess = await start();
  const owned = opened.move();
  const base = { url: `https://127.0.0.1:${port}`, caPem, serverName: name };
  return {
    folder: folder.path,
    port,
    endpoint: { ...base, login: { kind: 'password', username: 'tapline', password } },
    administrator: { ...base, login: { kind: 'password', username: 'root', password } },
    certified: {
      ...base,
      login: {
        kind: 'certificate',
        certificatePem: readFileSync(at('pki/tapline.crt'), 'utf8'),
        keyPem: readFileSync(at('pki/tapline.key'), 'utf8'),
      },
    },
    output: () => running.output(),
    reload: () => running.kill('SIGHUP'),
    async crash() {
      const pids = [running.pid, ...descendants(running.pid)];
      // The first starts the others again: it goes first.
      for (const pid of pids) killIfThere(pid);
      await running.exited;
    },
    async stop() {
      await running[Symbol.asyncDispose]();
    },
    async restart() {
      running = await start();
    },
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      await owned.disposeAsync();
    },
  };

  function start(): Promise<StartedProcess> {
    const args = ['daemon', '-x', 'information', '-c', at('conf/icinga2.conf'), ...defines];
    return startProcess('icinga2', args, {
      env,
      readyLine: /Started new listener/,
      readyWithinMs: 60_000,
      stopWithinMs: 20_000,
    });
  }

  function certify(cn: string, path: string): void {
    const [key, csr, cert] = [`${path}.key`, `${path}.csr`, `${path}.crt`];
    openssl('req', ...newKey(key), '-out', csr, '-subj', `/CN=${cn}`, ...names(cn));
    const signer = [
      '-CA',
      ca.cert,
      '-CAkey',
      ca.key,
      '-CAcreateserial',
      '-copy_extensions',
      'copy',
    ];
    openssl('x509', '-req', '-in', csr, '-out', cert, '-days', '30', ...signer);
    for (const file of [key, cert]) own(file);
  }

  function writeOwned(path: string, text: string): void {
    writeFileSync(path, text);
    own(path);
  }

  function own(path: string): void {
    if (isRoot) chownSync(path, uid, gid);
  }
}

function configuration(of: {
  readonly name: string;
  readonly port: number;
  readonly zones: string | undefined;
}): string {
  const { name, port } = of;
  const zones =
    of.zones ??
    `object Endpoint NodeName { }
object Zone ZoneName { endpoints = [ NodeName ] }`;
  const permissions = icingaPermissions.map((one) => JSON.stringify(one)).join(', ');
  return `
const NodeName = "${name}"
const ZoneName = NodeName
const TicketSalt = ""
include <itl>
${zones}
object CheckerComponent "checker" { }
object NotificationComponent "notification" { }
object ApiListener "api" { bind_host = "127.0.0.1"; bind_port = ${port}; accept_config = ${of.zones !== undefined}; accept_commands = ${of.zones !== undefined} }
object ApiUser "tapline" {
  password = "${password}"
  client_cn = "tapline"
  permissions = [ ${permissions} ]
}
object ApiUser "root" { password = "${password}"; permissions = [ "*" ] }
`;
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}

function newKey(path: string): string[] {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  return [...curve, '-nodes', '-keyout', path];
}

function names(cn: string): string[] {
  return ['-addext', `subjectAltName=DNS:${cn}`];
}

/** All processes below one, from the kernel. */
function descendants(pid: number): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(path)) return [];
  const children = readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended with its parent.
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
