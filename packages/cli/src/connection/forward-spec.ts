import { TaplineError } from '@tapline/base';

/** Two ports, in the order that ssh's -L and -R have: first where it is listened. */
export interface ForwardSpec {
  readonly listen: number;
  readonly to: number;
}

/** `8080:80`, or `80` for the same port at both ends. */
export function parseForwardSpec(text: string): ForwardSpec {
  const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text);
  const listen = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (listen >= 0 && listen <= 65_535 && to >= 1 && to <= 65_535) return { listen, to };
  throw new TaplineError('usage', `${JSON.stringify(text)} is not PORT:PORT`, {
    hint: 'write it as 8080:80: listen at 8080, connect to 80; or 80 for both',
  });
}
