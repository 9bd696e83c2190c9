/** What a page of a shell asks for: an answer to be sent as it is. */
export interface ServedContent {
  readonly type: string;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  /** Whether the same path always has this content. */
  readonly immutable: boolean;
}

/** The files that a guest starts from, by the paths that its page asks for. */
export interface ShellContent extends AsyncDisposable {
  /** Undefined where there is nothing at the path; none has a slash at its beginning. */
  get(path: string): Promise<ServedContent | undefined>;
}
