import { TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { installName, installResource } from '@tapline/resources';

/** The Install that `ipad-1.jq`, `jq` with `--on ipad-1`, or `jq` on its only device means. */
export async function resolveInstall(
  client: ResourceClient,
  { text, device }: { readonly text: string; readonly device: string | undefined },
): Promise<string> {
  if (device !== undefined) return installName(device, text);
  const { items } = await client.list(installResource, {});
  const named = items.find((install) => install.metadata.name === text);
  if (named !== undefined) return text;
  const ofFormula = items.filter((install) => install.spec.formula === text);
  const [only, ...others] = ofFormula;
  if (only !== undefined && others.length === 0) return only.metadata.name;
  if (only === undefined) {
    throw new TaplineError(
      'not_found',
      `${JSON.stringify(text)} is no install and no installed formula`,
      {
        hint: 'tapline get installs shows what is installed where',
      },
    );
  }
  const devices = ofFormula.map((install) => install.spec.device);
  throw new TaplineError('usage', `${text} is installed on ${devices.length} devices`, {
    hint: `say which with --on: ${devices.slice(0, 8).join(', ')}`,
  });
}
