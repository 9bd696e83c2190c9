import { TaplineError } from '@tapline/base';

/** `127.0.0.1:7443`, `[::1]:0` or `:7443` as host and port. */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new TaplineError('usage', `${JSON.stringify(text)} is not HOST:PORT`, {
      hint: 'write it as 127.0.0.1:7443, 0.0.0.0:7443 or [::1]:0',
    });
  }
  return {
    host: match[1] ?? (match[2] === '' || match[2] === undefined ? '0.0.0.0' : match[2]),
    port,
  };
}
