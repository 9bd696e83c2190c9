import { once } from 'node:events';
import { createJsonLog, TaplineError } from '@tapline/base';
import { parseListenAddress } from '../connection/listen-address.ts';
import type { EdgeFile } from '../edge/edge-file.ts';
import { parseSize } from '../edge/parse-size.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { textFlag, textFlagWithDefault } from '../framework/flag.ts';

export const edgeCacheServe: Command = defineCommand({
  summary: 'Run an edge cache for channels: memory, disk, HTTP/1.1, HTTP/2, TLS',
  description:
    'FILE lists the channels; docs/guides/edge-cache.md has its fields. With --origin there is one channel and no FILE. The certificate is read again by tapline edge-cache reload, and so is FILE.',
  examples: [
    {
      command: 'tapline edge-cache serve --origin http://origin.example:8080',
      explains: 'one origin, kept in memory, on loopback',
    },
    {
      command:
        'tapline edge-cache serve channels.yaml --listen 0.0.0.0:80 --disk /var/cache/tapline --disk-size 500GB --admin /run/tapline-edge.sock',
      explains: 'several channels, with a disk and a socket for purges',
    },
    {
      command: 'tapline edge-cache serve channels.yaml --engine varnish --work-directory /run/edge',
      explains: 'the same channels by Varnish',
    },
  ],
  positionals: [
    { name: 'FILE', description: 'the channels, in YAML', required: false, complete: 'files' },
  ],
  flags: {
    origin: textFlag('The origin of a single channel that answers every host', {
      valueName: 'URL',
    }),
    listen: textFlagWithDefault('Where it listens; port 0 takes a free one', {
      valueName: 'HOST:PORT',
      default: '127.0.0.1:8080',
    }),
    name: textFlagWithDefault('Names this edge to others; each has its own', {
      valueName: 'NAME',
      default: 'tapline',
    }),
    memory: textFlagWithDefault('Bytes kept in memory', { valueName: 'SIZE', default: '256MB' }),
    disk: textFlag('Folder of the tier on disk; without it memory is all', { valueName: 'DIR' }),
    diskSize: textFlagWithDefault('Bytes kept on disk', { valueName: 'SIZE', default: '10GB' }),
    tlsListen: textFlag('Where it listens for TLS', { valueName: 'HOST:PORT' }),
    tlsCertificate: textFlag('The certificate chain, PEM', { valueName: 'FILE' }),
    tlsKey: textFlag('Its key, PEM', { valueName: 'FILE' }),
    admin: textFlag('A socket for purges, figures and reloads; only its owner may open it', {
      valueName: 'PATH',
    }),
    engine: textFlagWithDefault('What caches', {
      choices: ['tapline', 'varnish', 'vinyl'],
      default: 'tapline',
    }),
    workDirectory: textFlag('Folder of a Varnish instance', { valueName: 'DIR' }),
    logLevel: textFlagWithDefault('How much it logs, on standard error', {
      choices: ['debug', 'info', 'warn', 'error'],
      default: 'warn',
    }),
  },
  async run({ console, positionals: [file], flags }) {
    const edge = await import('@tapline/edge-cache');
    let served = await servedBy(file, flags.origin, console);
    const listen = parseListenAddress(flags.listen);
    const memoryBytes = parseSize(flags.memory, 'memory');
    const log = createJsonLog({
      clock: console.clock,
      write: (line) => console.note(line),
      level: flags.logLevel as 'debug' | 'info' | 'warn' | 'error',
    });
    await using opened = new AsyncDisposableStack();
    let reloadCertificate: (() => Promise<void>) | undefined;
    let engine: import('@tapline/edge-cache').CacheEngine;
    const entries = opened.use(
      await edge.startEntryServer({ name: flags.name, edgeUrl: () => engine.url, log }),
    );
    entries.configure(served.entries);
    const channels = withEntries(served, entries.url, edge);
    if (flags.engine === 'tapline') {
      const own = await edge.startEdgeCache({
        channels,
        listen,
        name: flags.name,
        memoryBytes,
        ...tlsOf(flags),
        ...(flags.disk !== undefined && {
          disk: { directory: flags.disk, capacityBytes: parseSize(flags.diskSize, 'disk-size') },
        }),
        clock: console.clock,
        log,
      });
      reloadCertificate = () => own.reloadCertificate();
      if (own.tlsUrl !== undefined) console.write(`tapline edge cache ready at ${own.tlsUrl}\n`);
      engine = opened.use(own);
    } else {
      if (flags.workDirectory === undefined) {
        throw new TaplineError('usage', `--engine ${flags.engine} needs --work-directory`);
      }
      engine = opened.use(
        await edge.startVarnish({
          channels,
          listen,
          name: flags.name,
          memoryBytes,
          directory: flags.workDirectory,
          programs: flags.engine === 'vinyl' ? edge.vinylPrograms : edge.varnishPrograms,
          clock: console.clock,
        }),
      );
    }
    if (flags.admin !== undefined) {
      opened.use(
        await edge.startEdgeAdmin({
          engine,
          socketPath: flags.admin,
          async reload() {
            const next = await servedBy(file, flags.origin, console);
            await engine.configure(withEntries(next, entries.url, edge));
            served = next;
            entries.configure(served.entries);
            await reloadCertificate?.();
          },
        }),
      );
    }
    console.write(`tapline edge cache ready at ${engine.url}\n`);
    if (!console.signal.aborted) await once(console.signal, 'abort');
    return exitCode.ok;
  },
});

async function servedBy(
  file: string | undefined,
  origin: string | undefined,
  console: Console,
): Promise<EdgeFile> {
  if ((file === undefined) === (origin === undefined)) {
    throw new TaplineError('usage', 'give either FILE or --origin');
  }
  if (file !== undefined) {
    const { loadEdgeFile } = await import('../edge/edge-file.ts');
    return await loadEdgeFile(file, console.environment);
  }
  const { channelSettings } = await import('@tapline/edge-cache');
  return { channels: [channelSettings({ name: 'default', origins: [origin ?? ''] })], entries: [] };
}

/** With what the edge makes itself: an origin beside it, below the prefix of each channel. */
function withEntries(
  { channels, entries }: EdgeFile,
  url: string,
  edge: typeof import('@tapline/edge-cache'),
): readonly import('@tapline/edge-cache').ChannelSettings[] {
  const own = channels.filter(({ prefix }) => entries.some((entry) => entry.prefix === prefix));
  return [
    ...channels,
    ...own.map(({ name, hosts, prefix }) =>
      edge.channelSettings({
        name: `${name}.entry`,
        hosts,
        prefix: `${prefix}${edge.entryFolder}`,
        origins: [url],
      }),
    ),
  ];
}

function tlsOf(flags: {
  readonly tlsListen: string | undefined;
  readonly tlsCertificate: string | undefined;
  readonly tlsKey: string | undefined;
}): {
  readonly tls?: import('@tapline/edge-cache').ListenAddress &
    import('@tapline/edge-cache').TlsFiles;
} {
  const { tlsListen, tlsCertificate, tlsKey } = flags;
  if (tlsListen === undefined) return {};
  if (tlsCertificate === undefined || tlsKey === undefined) {
    throw new TaplineError('usage', '--tls-listen needs --tls-certificate and --tls-key');
  }
  return {
    tls: { ...parseListenAddress(tlsListen), certificateFile: tlsCertificate, keyFile: tlsKey },
  };
}
