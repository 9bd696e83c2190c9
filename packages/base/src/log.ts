/** Fields of a log line. Never a secret: tokens, keys and credentials are not logged. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging as a dependency; programs decide where lines go and which levels show. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log that adds `fields` to each of its lines. */
  with(fields: LogFields): Log;
}

/** Drops every line. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};
