/** Systems of Apple's that take profiles. */
export type AppleSystem = 'iOS' | 'macOS' | 'tvOS' | 'visionOS' | 'watchOS';

/** The version of each system that brought something; "n/a" where it never came. */
export type SystemVersions = Readonly<Partial<Record<AppleSystem, string>>>;

/** One key of a payload. In an array, the only one of its `keys` is about the elements. */
export interface KeySchema {
  /** ANY stands for any key. */
  readonly key: string;
  readonly type:
    | 'string'
    | 'integer'
    | 'real'
    | 'boolean'
    | 'date'
    | 'data'
    | 'array'
    | 'dictionary'
    | 'any';
  readonly required?: true;
  readonly values?: readonly (string | number | boolean)[];
  readonly min?: number;
  readonly max?: number;
  /** A regular expression that strings match. */
  readonly form?: string;
  /** How many elements an array has. */
  readonly least?: number;
  readonly most?: number;
  readonly os?: SystemVersions;
  readonly keys?: readonly KeySchema[];
}

export interface PayloadSchema {
  readonly os: SystemVersions;
  readonly keys: readonly KeySchema[];
}
