import type { Clock } from '@tapline/base';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startChildProgram } from './child-program.ts';

/** Where the demo's bottles come from, as the environment that Homebrew's own tools read. */
export interface HomebrewSource extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
  readonly description: string;
}

const probeMs = 2500;

/**
 * Homebrew itself where it can be reached or a mirror of it is configured; else a mirror that this
 * checkout makes from Debian's packages, in the same format.
 */
export async function openHomebrewSource(options: {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Where the tools of this project are. */
  readonly checkout: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<HomebrewSource> {
  const configured = options.environment['HOMEBREW_API_DOMAIN'];
  const api = configured ?? 'https://formulae.brew.sh/api';
  if (configured !== undefined || (await answers(`${api}/formula/jq.json`))) {
    return {
      environment: {},
      description: `Homebrew at ${new URL(api).host}`,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const tool = join(options.checkout, 'tools', 'bottle-mirror', 'main.ts');
  if (!existsSync(tool)) {
    throw new Error(`${api} cannot be reached, and there is no bottle mirror at ${tool}`);
  }
  // The list that a mirror signs has every formula's bottles in it: those of one are soon made.
  const mirror = await startChildProgram(
    [process.execPath, tool, '--port', '0', '--formula', 'jq'],
    { ...options, announces: /((?:export \S+=.+\n)+)listening on/, timeoutMs: 60_000 },
  );
  return {
    environment: Object.fromEntries(
      [...mirror.announced.matchAll(/^export (\S+?)=(.+)$/gm)].map(([, name = '', value = '']) => [
        name,
        value,
      ]),
    ),
    description: `bottles made from Debian's packages, because ${new URL(api).host} cannot be reached`,
    [Symbol.asyncDispose]: () => mirror[Symbol.asyncDispose](),
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(probeMs) });
    return response.ok;
  } catch {
    return false;
  }
}
