import { parseIcingaName } from '../icinga/icinga-name.ts';
import type { IcingaCreation, ProcessCheckResult } from '../icinga/icinga-objects.ts';
import { icingaText } from '../icinga/icinga-text.ts';
import type { CheckOutcome, MonitoredCheck, MonitoredHost } from './monitored-host.ts';
import { performanceText } from './performance-text.ts';
import { type Placement, templateName } from './registration-config.ts';

/** Attributes have these names and no others: Icinga writes them into files of its own language. */
export function hostCreation(host: MonitoredHost, placement: Placement): IcingaCreation {
  const { instance, zone } = placement;
  return {
    templates: [templateName(instance, 'host')],
    attrs: {
      display_name: icingaText(host.title),
      'vars.tapline_instance': instance,
      'vars.tapline_kind': parseIcingaName(host.kind),
      'vars.tapline_checks': Object.fromEntries(
        host.checks
          .filter(({ watchdog }) => watchdog !== true)
          .map(({ name, title }) => [parseIcingaName(name), icingaText(title)]),
      ),
      ...(zone !== undefined && { zone }),
    },
  };
}

export function checkCreation(
  check: Pick<MonitoredCheck, 'title' | 'watchdog'>,
  placement: Placement,
): IcingaCreation {
  const { instance, zone } = placement;
  return {
    templates: [templateName(instance, check.watchdog === true ? 'watchdog' : 'service')],
    attrs: {
      display_name: icingaText(check.title),
      'vars.tapline_instance': instance,
      ...(zone !== undefined && { zone }),
    },
  };
}

export function checkResult(outcome: CheckOutcome, source: string): ProcessCheckResult {
  return {
    exit_status: outcome.state,
    plugin_output: icingaText(outcome.output),
    performance_data: (outcome.performance ?? []).map(performanceText),
    check_source: source,
  };
}
