import { closeError, CloseCode } from './close-code.ts';
import { decodeAnswer, type Parameters } from './parameters.ts';

/**
 * What a server answers to a client's greeting, with the token to come back with. Throws
 * `tunnel_frame_invalid`, `tunnel_version_unsupported`.
 */
export function readAnswer(
  answer: { readonly type: number; readonly body: Uint8Array },
  expected: { readonly type: number; readonly version: number },
): Parameters & { readonly token: Uint8Array } {
  const { type, body } = answer;
  if (type !== expected.type) {
    throw closeError(CloseCode.Protocol, `a frame of type ${type} does not answer a greeting`);
  }
  const { version, parameters } = decodeAnswer(body);
  if (version !== expected.version) {
    throw closeError(CloseCode.VersionUnsupported, `version ${version} was not offered`);
  }
  const { token } = parameters;
  if (token === undefined) throw closeError(CloseCode.Protocol, 'an answer without a token');
  return { ...parameters, token };
}
