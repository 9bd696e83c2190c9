import { activeChecksConfig } from './active-checks-config.ts';
import { parseIcingaName, type IcingaName } from '../icinga/icinga-name.ts';

/** Which Tapline this is among those that one Icinga watches. */
export type InstanceName = IcingaName;

/** Checks that Icinga runs by itself, beside the results that it is told. */
export interface ActiveChecks {
  /** Path of `tapline` on the machines that run checks. */
  readonly command: string;
  /** Path of a kubeconfig there, with a token of the group `tapline:checker`. */
  readonly kubeconfig: string;
  readonly everySeconds: number;
  /** Before the names of hosts, which is no part of the names that are asked for. */
  readonly prefix: string;
}

export interface Placement {
  readonly instance: InstanceName;
  /** The zone whose satellites look after the hosts; absent: the one that is asked. */
  readonly zone?: IcingaName | undefined;
  /** A global zone, which all satellites know: where templates have to be when there is a zone. */
  readonly globalZone?: IcingaName | undefined;
  readonly checks?: ActiveChecks | undefined;
}

/** How often Icinga looks whether a result came for the check that is to come always. */
const freshnessSeconds = 60;

export function packageName(instance: InstanceName): IcingaName {
  return parseIcingaName(`tapline-${instance}`);
}

/** The templates' and the package's name have the same beginning. */
export function templateName(
  instance: InstanceName,
  of: 'host' | 'service' | 'watchdog',
): IcingaName {
  return parseIcingaName(`tapline-${instance}-${of}`);
}

/**
 * The files of the configuration package: templates, and the rule by which a host brings its checks
 * along. They change with versions of Tapline, not with what is watched: a reload cuts every stream.
 */
export function registrationConfig({
  instance,
  zone,
  globalZone,
  checks,
}: Placement): Readonly<Record<string, string>> {
  const host = templateName(instance, 'host');
  const service = templateName(instance, 'service');
  const watchdog = templateName(instance, 'watchdog');
  const text = `// Made by Tapline; it is written anew when it differs.
template Host "${host}" {
  check_command = "passive"
  enable_active_checks = false
  enable_flapping = true
  max_check_attempts = 1
}

template Service "${service}" {
  check_command = "passive"
  enable_active_checks = false
  enable_flapping = true
  max_check_attempts = 1
}

template Service "${watchdog}" {
  check_command = "passive"
  check_interval = ${freshnessSeconds}
  retry_interval = ${freshnessSeconds}
  max_check_attempts = 1
}

apply Service for (check => title in host.vars.tapline_checks) {
  import "${service}"
  display_name = title
  vars.tapline_instance = "${instance}"
  assign where host.vars.tapline_instance == "${instance}"
}
`;
  const folder =
    zone === undefined || globalZone === undefined ? 'conf.d' : `zones.d/${globalZone}`;
  const active = checks === undefined ? '' : activeChecksConfig(instance, checks);
  return { [`${folder}/tapline.conf`]: text + active };
}
