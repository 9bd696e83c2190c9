import { TaplineError } from '@tapline/base';
import type { Quota } from '@tapline/registry';
import { parseQuotas } from './registry/parse-quotas.ts';
import { type HomebrewDomains, homebrewDomains } from '@tapline/brew';
import { formatSubnet, parseSubnet } from '@tapline/segments';
import type { MonitoringConfiguration } from './monitoring/monitoring-configuration.ts';
import type { RegistryConfiguration } from './registry/registry-configuration.ts';

/** Everything a control plane is told; parsed once, then trusted. */
export interface ControlPlaneConfiguration {
  /** Where it keeps everything: see docs/reference/data-folder.md. */
  readonly dataDirectory: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Names and addresses that devices reach it by, beside the loopback ones; the first is its URL's. */
  readonly advertisedHosts: readonly string[];
  /** Homebrew, or mirrors of it, by Homebrew's own variables. */
  readonly homebrew: HomebrewDomains;
  /** `HOMEBREW_DOCKER_REGISTRY_TOKEN` and `…_BASIC_AUTH_TOKEN`, for mirrors that need one. */
  readonly homebrewToken?: string;
  readonly homebrewBasicToken?: string;
  /** How old what an unversioned package resolved may be before a rollout resolves it again. */
  readonly packageMaxAgeMs: number;
  /** Packages built at the same time. */
  readonly buildConcurrency: number;
  /** Registries to mirror and to replicate with. */
  readonly registry: RegistryConfiguration;
  /** Other people's monitoring. */
  readonly monitoring: MonitoringConfiguration;
  /** How long Events are kept. */
  readonly eventTtlMs: number;
  /** How long a token stays visible after it expired. */
  readonly tokenGraceMs: number;
  /** Out of which nodes get their addresses inside the encrypted underlay. */
  readonly vtepPrefix: string;
  /** How long keys of IPsec and MACsec are in use. */
  readonly keyRotationMs: number;
  /** Limits on what the registry keeps. */
  readonly registryQuotas: readonly Quota[];
  /** Where devices reach profiles, such as a proxy with a certificate that they trust. */
  readonly profileBaseUrl?: string;
  /** The folder of the page in which browsers become devices; without it none is served. */
  readonly devicePage?: string;
  /** Whether OpsBot acts here: `shared` with replicas elsewhere, of which one leads. */
  readonly opsBot: 'on' | 'shared' | 'off';
  /** How often the registry's garbage is collected; 0 is never. */
  readonly registryCollectMs: number;
}

/** The environment variables a control plane reads. */
export type ControlPlaneEnvironment = Readonly<Record<string, string | undefined>>;

/** Reads the configuration from environment variables; errors name the variable and its limit. */
export function parseControlPlaneConfiguration(
  environment: ControlPlaneEnvironment,
  {
    registry = { mirrors: [], replication: [] },
    monitoring = {},
    devicePage,
  }: {
    readonly registry?: RegistryConfiguration;
    readonly monitoring?: MonitoringConfiguration;
    readonly devicePage?: string;
  } = {},
): ControlPlaneConfiguration {
  const dataDirectory = environment['TAPLINE_DATA_DIRECTORY'];
  if (dataDirectory === undefined || dataDirectory === '') {
    throw new TaplineError('configuration_invalid', 'TAPLINE_DATA_DIRECTORY is not set', {
      hint: 'name the folder in which the control plane keeps its data',
    });
  }
  const integer = (name: string, range: IntegerRange): number =>
    parseInteger(name, environment[name], range);
  for (const name of [
    'HOMEBREW_API_DOMAIN',
    'HOMEBREW_BOTTLE_DOMAIN',
    'HOMEBREW_ARTIFACT_DOMAIN',
  ]) {
    checkUrl(name, environment[name]);
  }
  checkUrl('TAPLINE_PROFILE_URL', environment['TAPLINE_PROFILE_URL']);
  const profileBaseUrl = environment['TAPLINE_PROFILE_URL'];
  const token = environment['HOMEBREW_DOCKER_REGISTRY_TOKEN'];
  const basicToken = environment['HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN'];
  return {
    dataDirectory,
    registry,
    monitoring,
    host: environment['TAPLINE_HOST'] ?? '127.0.0.1',
    port: integer('TAPLINE_PORT', { fallback: 7443, min: 0, max: 65_535 }),
    advertisedHosts: (environment['TAPLINE_ADVERTISED_HOSTS'] ?? '')
      .split(',')
      .map((host) => host.trim())
      .filter((host) => host !== ''),
    homebrew: homebrewDomains(environment),
    ...(profileBaseUrl ? { profileBaseUrl } : {}),
    ...(devicePage === undefined ? {} : { devicePage }),
    ...(token === undefined ? {} : { homebrewToken: token }),
    ...(basicToken === undefined ? {} : { homebrewBasicToken: basicToken }),
    packageMaxAgeMs:
      1000 * integer('TAPLINE_PACKAGE_MAX_AGE_SECONDS', { fallback: 900, min: 1, max: 31_536_000 }),
    buildConcurrency: integer('TAPLINE_BUILD_CONCURRENCY', { fallback: 2, min: 1, max: 64 }),
    eventTtlMs:
      1000 * integer('TAPLINE_EVENT_TTL_SECONDS', { fallback: 3600, min: 1, max: 31_536_000 }),
    tokenGraceMs:
      1000 * integer('TAPLINE_TOKEN_GRACE_SECONDS', { fallback: 86_400, min: 0, max: 31_536_000 }),
    vtepPrefix: vtepPrefix(environment['TAPLINE_VTEP_PREFIX']),
    keyRotationMs:
      1000 * integer('TAPLINE_KEY_ROTATION_SECONDS', { fallback: 3600, min: 1, max: 31_536_000 }),
    opsBot: parseOpsBot(environment['TAPLINE_OPSBOT']),
    registryQuotas: parseQuotas(environment['TAPLINE_REGISTRY_QUOTAS'] ?? ''),
    registryCollectMs:
      1000 * integer('TAPLINE_REGISTRY_GC_SECONDS', { fallback: 86_400, min: 0, max: 31_536_000 }),
  };
}

function parseOpsBot(text: string | undefined): ControlPlaneConfiguration['opsBot'] {
  if (text === undefined || text === '') return 'on';
  if (text === 'on' || text === 'shared' || text === 'off') return text;
  throw new TaplineError(
    'configuration_invalid',
    `TAPLINE_OPSBOT ${JSON.stringify(text)} is not one of on, shared, off`,
  );
}

/** In RFC 6598's shared space, where neither the Internet nor private networks are. */
const defaultVtepPrefix = '100.112.0.0/12';

function vtepPrefix(text: string | undefined): string {
  if (text === undefined || text === '') return defaultVtepPrefix;
  try {
    return formatSubnet(parseSubnet(text));
  } catch (cause) {
    throw new TaplineError(
      'configuration_invalid',
      `TAPLINE_VTEP_PREFIX ${JSON.stringify(text)} is no prefix such as ${defaultVtepPrefix}`,
      { cause },
    );
  }
}

interface IntegerRange {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

function parseInteger(name: string, text: string | undefined, range: IntegerRange): number {
  if (text === undefined || text === '') return range.fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < range.min || value > range.max) {
    throw new TaplineError(
      'configuration_invalid',
      `${name} ${JSON.stringify(text)} is not an integer from ${range.min} to ${range.max}`,
    );
  }
  return value;
}

function checkUrl(name: string, text: string | undefined): void {
  if (text === undefined || text === '') return;
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new TaplineError(
      'configuration_invalid',
      `${name} ${JSON.stringify(text)} is no HTTP URL`,
    );
  }
}
