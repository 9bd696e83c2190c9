import { parseIcingaName } from '../icinga/icinga-name.ts';
import type { PerformanceValue } from './monitored-host.ts';

/** `label=value[unit];warning;critical;min;max`, as the Monitoring Plugins Guidelines have it. */
export function performanceText(value: PerformanceValue): string {
  const limits = [value.warning, value.critical, value.min, value.max].map((limit) =>
    limit === undefined ? '' : numberText(limit),
  );
  const text = `${parseIcingaName(value.label)}=${numberText(value.value)}${value.unit ?? ''};${limits.join(';')}`;
  return text.replace(/;+$/, '');
}

/** Icinga reads no exponents in performance data of old versions, and has no word for infinity. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return '0';
  return Number.isInteger(value) ? BigInt(value).toString() : value.toFixed(6).replace(/0+$/, '');
}
