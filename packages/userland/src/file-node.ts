/** What every file has (inode). Times are in milliseconds since 1970. */
interface NodeBase {
  readonly inode: number;
  readonly mode: number;
  readonly modifiedMs: number;
}

export type FileNode =
  | (NodeBase & { readonly kind: 'file'; readonly bytes: Uint8Array })
  | (NodeBase & { readonly kind: 'directory'; readonly entries: ReadonlyMap<string, FileNode> })
  | (NodeBase & { readonly kind: 'link'; readonly target: string });

/** Files to be read; what comes from image layers is like that. */
export interface FileSystem {
  readonly root: FileNode;
}
