/** What a property list holds. Numbers that are whole are integers, others reals. */
export type PlistValue =
  | string
  | number
  | boolean
  | Date
  | Uint8Array
  | readonly PlistValue[]
  | PlistDictionary;

export interface PlistDictionary {
  readonly [key: string]: PlistValue;
}

export function isPlistDictionary(value: PlistValue): value is PlistDictionary {
  return (
    typeof value === 'object' &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof Uint8Array)
  );
}
