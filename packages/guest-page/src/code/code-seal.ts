const algorithm = { name: 'HMAC', hash: 'SHA-256' } as const;

/** Tells code that was kept by who knows a key from all other. */
export interface CodeSeal {
  of(name: string, code: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  holds(
    name: string,
    code: Uint8Array<ArrayBuffer>,
    seal: Uint8Array<ArrayBuffer>,
  ): Promise<boolean>;
}

/**
 * A digest would say only that nothing broke: whoever writes to the storage can write another one
 * beside it. The key is not in the storage. Undefined where the browser has no cryptography for the
 * page, as for pages by HTTP from other machines: there nothing is kept.
 */
export async function openCodeSeal(secret: string): Promise<CodeSeal | undefined> {
  const { subtle } = crypto as { readonly subtle?: SubtleCrypto };
  if (subtle === undefined) return undefined;
  const encoder = new TextEncoder();
  const key = await subtle.importKey('raw', encoder.encode(secret), algorithm, false, [
    'sign',
    'verify',
  ]);
  // Its name, too: code of another program is no code of this one.
  const sealed = async (
    name: string,
    code: Uint8Array<ArrayBuffer>,
  ): Promise<Uint8Array<ArrayBuffer>> => {
    const digest = new Uint8Array(await subtle.digest('SHA-256', code));
    const about = encoder.encode(`${name} `);
    const whole = new Uint8Array(about.length + digest.length);
    whole.set(about);
    whole.set(digest, about.length);
    return whole;
  };
  return {
    of: async (name, code) =>
      new Uint8Array(await subtle.sign(algorithm, key, await sealed(name, code))),
    holds: async (name, code, seal) =>
      await subtle.verify(algorithm, key, seal, await sealed(name, code)),
  };
}
