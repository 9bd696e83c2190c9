/**
 * A set of frames that have the same interface and mark, and whose other fields are as far known as
 * rules have looked at them. Fields that nobody has looked at can be anything: the sender chooses.
 */
export interface Frame {
  readonly iif: string;
  readonly oif: string;
  /** Undefined where it can be any. */
  readonly mark: number | undefined;
  readonly fields: Field | undefined;
  /** The statement that last decided about it. */
  readonly by: Reason | undefined;
  /** Whether frames may be in it that do not come here: what is not known was taken for the worse. */
  readonly loose: boolean;
}

/** What is known of a field: it is one of the values, or, `without`, none of them. */
export interface Field {
  readonly key: string;
  readonly values: readonly string[];
  readonly without: boolean;
  readonly next: Field | undefined;
}

/** Where in the rules something was decided. */
export interface Reason {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** 1 for the first; 0 for the chain's policy. */
  readonly rule: number;
}

export function fieldOf(frame: Frame, key: string): Field | undefined {
  let field = frame.fields;
  while (field !== undefined && field.key !== key) field = field.next;
  return field;
}

export function withField(
  frame: Frame,
  key: string,
  values: readonly string[],
  without: boolean,
): Frame {
  return { ...frame, fields: { key, values, without, next: frame.fields } };
}

/** Whether the field can have this value. */
export function canBe(frame: Frame, key: string, value: string): boolean {
  const field = fieldOf(frame, key);
  return field === undefined || field.values.includes(value) !== field.without;
}

/** Whether frames of which this is known are in the set. */
export function covers(frame: Frame, known: Field | undefined): boolean {
  for (let field = known; field !== undefined; field = field.next) {
    if (!field.values.every((value) => canBe(frame, field.key, value))) return false;
  }
  return true;
}

/** Whether the field cannot have but these values. */
export function isWithin(frame: Frame, key: string, allowed: ReadonlySet<string>): boolean {
  const field = fieldOf(frame, key);
  return field !== undefined && !field.without && field.values.every((value) => allowed.has(value));
}

export function describeReason(reason: Reason | undefined): string {
  if (reason === undefined) return 'no rule applies';
  const what = reason.rule === 0 ? 'policy' : `rule ${reason.rule}`;
  return `nft ${reason.family} ${reason.table} ${reason.chain}, ${what}`;
}
