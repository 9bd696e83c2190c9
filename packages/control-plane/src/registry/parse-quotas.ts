import { TaplineError } from '@tapline/base';
import type { Quota } from '@tapline/registry';

/** `TAPLINE_REGISTRY_QUOTAS`: `<scope>=<bytes>` separated by commas, the scope `*` for all. */
export function parseQuotas(text: string): readonly Quota[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const match = /^(\*|[a-z0-9][a-z0-9._/-]{0,254})=(\d{1,15})$/.exec(part);
      if (match === null) {
        throw new TaplineError(
          'configuration_invalid',
          `TAPLINE_REGISTRY_QUOTAS has ${JSON.stringify(part.slice(0, 80))}, which is not <repository>=<bytes> or *=<bytes>`,
        );
      }
      return { scope: match[1] ?? '*', limitBytes: Number(match[2]) };
    });
}
