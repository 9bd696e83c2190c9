import { TaplineError } from '@tapline/base';
import type { WriteOperation } from './store.ts';

/** Refuses text that a database would not give back as it was: SQLite keeps UTF-8. */
export function checkOperation(operation: WriteOperation): void {
  const { key } = operation;
  if (key === '') throw new TaplineError('invalid_key', 'a key must not be empty');
  const wrongKey = wrongText(key);
  if (wrongKey !== undefined) {
    throw new TaplineError('invalid_key', `key ${JSON.stringify(key)} contains ${wrongKey}`, {
      details: { key },
    });
  }
  if (operation.kind === 'delete') return;
  const wrongValue = wrongText(operation.value);
  if (wrongValue !== undefined) {
    throw new TaplineError('invalid_value', `the value of key "${key}" contains ${wrongValue}`, {
      details: { key },
    });
  }
}

function wrongText(text: string): string | undefined {
  if (text.includes('\0')) return 'the character U+0000';
  if (!text.isWellFormed()) return 'half of a surrogate pair';
  return undefined;
}
