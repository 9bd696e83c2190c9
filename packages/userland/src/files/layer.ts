/** What a file of an image layer has. Nothing of it ever changes. */
interface LayerNodeBase {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifiedMs: number;
}

export interface LayerFile extends LayerNodeBase {
  readonly kind: 'file';
  readonly size: number;
  /** Asked for when somebody reads it. */
  readonly load: () => Uint8Array;
}

export interface LayerDirectory extends LayerNodeBase {
  readonly kind: 'directory';
  /** Names are byte strings. Asked for when somebody looks. Names with the same node are hard links. */
  readonly list: () => ReadonlyMap<string, LayerNode>;
}

export interface LayerLink extends LayerNodeBase {
  readonly kind: 'link';
  /** A byte string. */
  readonly target: string;
}

export type LayerNode = LayerFile | LayerDirectory | LayerLink;
