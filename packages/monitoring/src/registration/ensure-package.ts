import { type Clock, isTaplineError, TaplineError } from '@tapline/base';
import type { IcingaClient } from '../icinga/create-icinga-client.ts';
import type { IcingaName } from '../icinga/icinga-name.ts';
import type { IcingaPackage } from '../icinga/icinga-objects.ts';
import { packageName, type Placement, registrationConfig } from './registration-config.ts';

const pollMs = 250;
// It reads all of its configuration twice: to check it and to run on it.
const reloadWithinMs = 120_000;

/**
 * Puts the configuration package in force where it is not; answers whether it had to. Throws
 * `icinga_stage_refused` with what Icinga said of it.
 */
export async function ensurePackage(
  client: IcingaClient,
  placement: Placement,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<boolean> {
  const options = signal === undefined ? {} : { signal };
  const name = packageName(placement.instance);
  const files = registrationConfig(placement);
  const there = await findPackage(client, name, options);
  if (there === undefined) await client.packages.create(name, options);
  else if (await isInForce(client, there, { name, files, ...options })) return false;

  const before = await client.startedAt(options);
  const stage = await client.packages.upload(name, files, options);
  const deadlineMs = clock.monotonic() + reloadWithinMs;
  for (;;) {
    await clock.sleep(pollMs, options);
    if (await hasReloaded()) break;
    if (clock.monotonic() > deadlineMs) throw await refused();
  }
  const after = await findPackage(client, name, options);
  for (const old of after?.stages ?? []) {
    if (old !== stage) await client.packages.deleteStage(name, old, options);
  }
  return true;

  async function hasReloaded(): Promise<boolean> {
    try {
      const found = await findPackage(client, name, options);
      if (found?.activeStage === stage) return (await client.startedAt(options)) !== before;
      if (await hasFailed()) throw await refused();
      return false;
    } catch (error) {
      // The old process is gone and the new one does not listen yet.
      if (isTaplineError(error, 'icinga_unreachable')) return false;
      throw error;
    }
  }

  async function hasFailed(): Promise<boolean> {
    const status = await fileOf('status');
    return status !== undefined && status.trim() !== '0';
  }

  async function refused(): Promise<TaplineError> {
    const log = (await fileOf('startup.log')) ?? 'no startup.log';
    return new TaplineError(
      'icinga_stage_refused',
      `Icinga did not take stage ${stage} of package ${name}: ${log.trim().slice(-1000)}`,
      { hint: 'look into its log, and whether another package has the same names' },
    );
  }

  async function fileOf(path: string): Promise<string | undefined> {
    try {
      return await client.packages.file({ package: name, stage, path }, options);
    } catch (error) {
      if (isTaplineError(error, 'icinga_not_found') || isTaplineError(error, 'icinga_error')) {
        return undefined;
      }
      throw error;
    }
  }
}

async function findPackage(
  client: IcingaClient,
  name: IcingaName,
  options: { readonly signal?: AbortSignal },
): Promise<IcingaPackage | undefined> {
  return (await client.packages.list(options)).find((one) => one.name === name);
}

async function isInForce(
  client: IcingaClient,
  { activeStage }: IcingaPackage,
  of: {
    readonly name: IcingaName;
    readonly files: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  },
): Promise<boolean> {
  if (activeStage === undefined) return false;
  const options = of.signal === undefined ? {} : { signal: of.signal };
  for (const [path, text] of Object.entries(of.files)) {
    try {
      const at = { package: of.name, stage: activeStage, path };
      if ((await client.packages.file(at, options)) !== text) return false;
    } catch (error) {
      if (isTaplineError(error, 'icinga_not_found') || isTaplineError(error, 'icinga_error')) {
        return false;
      }
      throw error;
    }
  }
  return true;
}
