import { parseArgs } from 'node:util';

import { createJsonLog, isTaplineError, systemClock } from '@tapline/base';

import { startBottleMirror } from './bottle-mirror.ts';
import { isPlatformTag } from './platform.ts';

const usage = `Serves Homebrew bottles made from Debian packages.

usage: node tools/bottle-mirror/main.ts [options]
  --port N          port to listen on; 0 for a free one (default 0)
  --host ADDRESS    address to listen on (default 127.0.0.1)
  --cache DIR       where bottles and the signing key are kept
  --formula NAME    serve this formula and what it needs; repeatable (default: all)
  --platform TAG    x86_64_linux or arm64_linux; repeatable (default: both)
  --build           build every bottle before serving
  --build-only      build every bottle and exit
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      cache: { type: 'string' },
      formula: { type: 'string', multiple: true },
      platform: { type: 'string', multiple: true },
      build: { type: 'boolean', default: false },
      'build-only': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TypeError(`--port ${values.port} is not between 0 and 65535`);
  }
  const unknown = values.platform?.find((tag) => !isPlatformTag(tag));
  if (unknown !== undefined) throw new TypeError(`--platform ${unknown} is not a known tag`);

  const stop = Promise.withResolvers<void>();
  process.once('SIGINT', () => stop.resolve());
  process.once('SIGTERM', () => stop.resolve());
  await using mirror = await startBottleMirror({
    port,
    host: values.host,
    log: createJsonLog({ clock: systemClock, write: (line) => process.stderr.write(line) }),
    ...(values.cache !== undefined && { cache: values.cache }),
    ...(values.formula !== undefined && { formulae: values.formula }),
    ...(values.platform !== undefined && { platforms: values.platform.filter(isPlatformTag) }),
  });
  if (values.build || values['build-only']) await mirror.build();
  if (values['build-only']) return;
  for (const [name, value] of Object.entries(mirror.environment)) {
    process.stdout.write(`export ${name}=${value}\n`);
  }
  process.stdout.write(`listening on ${mirror.url}\n`);
  await stop.promise;
}

try {
  await main();
} catch (error) {
  const hint = isTaplineError(error) && error.hint !== undefined ? `\n${error.hint}` : '';
  process.stderr.write(
    `bottle-mirror: ${error instanceof Error ? error.message : String(error)}${hint}\n`,
  );
  process.exitCode = 1;
}
