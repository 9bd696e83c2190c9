/** A host that Icinga has, as far as registration goes. */
export interface ObservedHost {
  /** Which Tapline made it; undefined: somebody else. */
  readonly instance: string | undefined;
  readonly kind: string | undefined;
  readonly title: string;
  readonly checks: ReadonlyMap<string, ObservedCheck>;
}

export interface ObservedCheck {
  readonly title: string;
  /** Made by itself, not with its host; only such a one can go by itself. */
  readonly single: boolean;
}
