/** An incremental hash; implementations come from the platform, so pure packages take a factory. */
export interface Hash {
  update(bytes: Uint8Array): void;
  /** The lower-case hexadecimal digest; the hash cannot be used after. */
  hex(): string;
}

export type HashFactory = () => Hash;
