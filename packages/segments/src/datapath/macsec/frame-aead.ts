/**
 * AES-GCM with one key and 16-byte tags, from the platform: a pure package has none. Both calls write
 * into `into` from `at` on, and keep nothing of what they are given.
 */
export interface FrameAead {
  /** Writes as many bytes as `text` has, then the tag. */
  seal(input: AeadInput, into: Uint8Array, at: number): void;
  /** `text` ends with the tag. Whether it is authentic; where not, `into` is not to be used. */
  open(input: AeadInput, into: Uint8Array, at: number): boolean;
}

export interface AeadInput {
  /** 12 bytes, never the same twice for a key. */
  readonly nonce: Uint8Array;
  /** What is authenticated only. */
  readonly additional: Uint8Array;
  readonly text: Uint8Array;
}

/** 16 or 32 bytes of key. */
export type FrameAeadFactory = (key: Uint8Array) => FrameAead;
