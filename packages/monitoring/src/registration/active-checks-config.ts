import { TaplineError } from '@tapline/base';
import type { IcingaName } from '../icinga/icinga-name.ts';
import type { ActiveChecks } from './registration-config.ts';

/** What `tapline check` can look at, on which kinds of hosts, and its flags for limits. */
const activeChecks = [
  { name: 'hit-ratio', title: 'Cache hit ratio, looked at', kinds: ['channel'], more: [] },
  {
    name: 'stream',
    title: 'Stream latency, as a player',
    kinds: ['channel'],
    more: ['behind-warning', 'behind-critical'],
  },
  { name: 'segment', title: 'Segment integrity', kinds: ['segment'], more: [] },
  { name: 'tunnel', title: 'Tunnel health', kinds: ['device', 'node'], more: [] },
  { name: 'certificate', title: 'Certificate, looked at', kinds: ['device', 'node'], more: [] },
] as const;

/** What stands before the name in the names of hosts of that kind. */
const hostPrefixes: Readonly<Record<string, string>> = { channel: 'channel_', segment: 'segment_' };

const timeoutSeconds = 120;
const path = /^\/[A-Za-z0-9._/-]{1,250}$/;

/** CheckCommands of `tapline check`, and services that run them, in the language of Icinga. */
export function activeChecksConfig(instance: IcingaName, checks: ActiveChecks): string {
  const command = quoted(checks.command);
  const kubeconfig = quoted(checks.kubeconfig);
  const template = `tapline-${instance}-active`;
  const commands = activeChecks.map(({ name, more }) => {
    const limits = name === 'segment' ? [] : ['warning', 'critical', ...more];
    const flags = limits.map(
      (flag) => `    "--${flag}" = "$tapline_${flag.replaceAll('-', '_')}$"\n`,
    );
    return `
object CheckCommand "tapline-${instance}-${name}" {
  import "plugin-check-command"
  command = [ ${command}, "check", "${name}" ]
  arguments = {
    "name" = { value = "$tapline_name$", skip_key = true, required = true, order = -1 }
    "--kubeconfig" = ${kubeconfig}
${flags.join('')}  }
  timeout = ${timeoutSeconds}
}
`;
  });
  const services = activeChecks.flatMap(({ name, title, kinds }) =>
    kinds.map(
      (kind) => `
apply Service "check-${name}" {
  import "${template}"
  display_name = "${title}"
  check_command = "tapline-${instance}-${name}"
  vars.tapline_name = host.name.substr(${checks.prefix.length + (hostPrefixes[kind] ?? '').length})
  assign where host.vars.tapline_instance == "${instance}" && host.vars.tapline_kind == "${kind}"
}
`,
    ),
  );
  return `
template Service "${template}" {
  check_interval = ${checks.everySeconds}
  retry_interval = ${Math.max(10, Math.round(checks.everySeconds / 4))}
  max_check_attempts = 2
  enable_flapping = true
}
${[...commands, ...services].join('')}`;
}

/** Paths of a few characters only: what is written here becomes a program that Icinga runs. */
function quoted(text: string): string {
  if (path.test(text)) return `"${text}"`;
  throw new TaplineError(
    'icinga_name_invalid',
    `${JSON.stringify(text.slice(0, 100))} cannot be a path in Icinga's configuration`,
    { hint: 'use an absolute path of letters, digits, . _ / and -' },
  );
}
