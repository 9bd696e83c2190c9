import { formatBytes } from '@tapline/base';
import type { ImagePlan, PlannedPlatform } from '@tapline/builder';
import { formatPlatform } from '@tapline/oci';
import { formatTable } from '../output/format-table.ts';

/** A plan as a table a platform, with its sums. */
export function describePlan(plan: ImagePlan): string {
  return plan.platforms.map((platform) => describePlatform(plan.formula, platform)).join('');
}

function describePlatform(formula: string, planned: PlannedPlatform): string {
  const rows = planned.layers.map(({ formula: name, version, action, bytes }) => [
    `  ${name}`,
    version,
    action,
    bytes === undefined ? '?' : formatBytes(bytes),
  ]);
  const table = formatTable(['  FORMULA', 'VERSION', 'ACTION', 'BYTES'], rows);
  const merged = planned.merged.map((names) => `  one layer: ${names.join(' ')}\n`).join('');
  const sums = `reuse ${formatBytes(planned.reuseBytes)}, build from ${formatBytes(planned.buildBytes)} that are here, fetch ${formatBytes(planned.fetchBytes)}`;
  return `${formula} ${planned.version}  ${formatPlatform(planned.platform)}  ${planned.layerCount} layers\n${table}${merged}  ${sums}\n`;
}
