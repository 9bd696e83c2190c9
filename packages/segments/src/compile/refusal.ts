/** Why a segment does not stand on a node; nothing of it is there then. */
export interface Refusal {
  readonly segment: string;
  readonly vni: number;
  /** Stable, such as `module_missing`. */
  readonly code: string;
  readonly message: string;
}
