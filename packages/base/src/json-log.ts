import type { Clock } from './clock.ts';
import { errorMessage } from './error-message.ts';
import type { Log, LogFields } from './log.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

/** Writes one JSON object a line: `{ time, level, message, …fields }`; errors become their text. */
export function createJsonLog(init: {
  readonly clock: Clock;
  readonly write: (line: string) => void;
  readonly level?: LogLevel;
  readonly fields?: LogFields;
}): Log {
  const lowest = levels.indexOf(init.level ?? 'info');
  function emit(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (levels.indexOf(level) < lowest) return;
    const time = new Date(init.clock.now()).toISOString();
    const line = { time, level, message, ...init.fields, ...fields };
    const text = JSON.stringify(line, (_key, value: unknown) =>
      value instanceof Error
        ? errorMessage(value)
        : typeof value === 'bigint'
          ? value.toString()
          : value,
    );
    init.write(`${text}\n`);
  }
  return {
    debug: (message, fields) => emit('debug', message, fields),
    info: (message, fields) => emit('info', message, fields),
    warn: (message, fields) => emit('warn', message, fields),
    error: (message, fields) => emit('error', message, fields),
    with: (fields) => createJsonLog({ ...init, fields: { ...init.fields, ...fields } }),
  };
}
