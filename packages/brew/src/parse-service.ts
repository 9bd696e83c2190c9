import type { FormulaService } from './formula-service.ts';
import { cellar, prefix } from './prefix.ts';
import { imageUser } from './image-user.ts';
import type { ServiceJson } from './service-schema.ts';

/** How a formula runs as a service on Linux; undefined where it does on macOS only. */
export function parseService(json: ServiceJson): FormulaService | undefined {
  const { run, keep_alive: keepAlive } = json;
  const forLinux = typeof run === 'object' && !Array.isArray(run) ? run?.linux : run;
  const unit = json.name?.linux;
  if (forLinux === undefined || forLinux === null) {
    // The keg brings the unit itself; all there is to say is its name.
    return unit === undefined ? undefined : { unit };
  }
  const sockets = typeof json.sockets === 'string' ? { listeners: json.sockets } : json.sockets;
  const path = (text: string | null | undefined): string | undefined =>
    text === null || text === undefined ? undefined : fill(text);
  const variables = Object.entries(json.environment_variables ?? {});
  return present({
    unit,
    command: [forLinux].flat().map(fill),
    keepAlive: keepAlive === true || typeof keepAlive === 'object' ? always(keepAlive) : false,
    keepAliveWhile: conditionsOf(keepAlive),
    schedule: scheduleOf(json),
    once: json.launch_only_once === true ? true : undefined,
    root: json.require_root === true ? true : undefined,
    environment:
      variables.length === 0
        ? undefined
        : Object.fromEntries(variables.map(([name, value]) => [name, fill(value)])),
    workingDirectory: path(json.working_dir),
    rootDirectory: path(json.root_dir),
    inputPath: path(json.input_path),
    logPath: path(json.log_path),
    errorLogPath: path(json.error_log_path),
    restartDelaySeconds: json.restart_delay ?? undefined,
    throttleSeconds: json.throttle_interval ?? undefined,
    stopTimeoutSeconds: json.stop_timeout ?? undefined,
    nice: json.nice ?? undefined,
    processType: json.process_type ?? undefined,
    sockets: sockets ?? undefined,
  });
}

/** `service.rb#keep_alive?`: conditions count, unless they say never. */
function always(value: true | Readonly<Record<string, unknown>> | null): boolean {
  return (
    value === true || (value !== null && Object.keys(value).length > 0 && value['always'] !== false)
  );
}

function conditionsOf(
  keepAlive: ServiceJson['keep_alive'],
): Readonly<Record<string, unknown>> | undefined {
  if (typeof keepAlive !== 'object' || keepAlive === null) return undefined;
  const { always: _, ...conditions } = keepAlive;
  return Object.keys(conditions).length === 0 ? undefined : conditions;
}

function scheduleOf(json: ServiceJson): FormulaService['schedule'] {
  if (json.run_type === 'interval' && json.interval) {
    return { kind: 'interval', seconds: json.interval };
  }
  return json.run_type === 'cron' && json.cron ? { kind: 'cron', cron: json.cron } : undefined;
}

/** The API serves machines with different prefixes and homes (`api_hashable.rb`). */
function fill(text: string): string {
  return text
    .replaceAll('$HOMEBREW_PREFIX', prefix)
    .replaceAll('$HOMEBREW_CELLAR', cellar)
    .replaceAll('/$HOME', imageUser.home);
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== undefined),
  ) as Present<T>;
}
