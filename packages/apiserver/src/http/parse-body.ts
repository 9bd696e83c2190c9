import { isUtf8 } from 'node:buffer';
import { parse as parseYaml } from 'yaml';
import { errorMessage } from '@tapline/base';
import { apiError, badRequest } from '../api-error.ts';
import { decodeObject, protobufMediaType } from '../protobuf/decode-object.ts';

const maxDepth = 100;

// The parser compares each key with all before it: 64 KiB of keys take it half a second, 512 KiB
// forty, in which nobody else is served. Clients with more to say send JSON.
const maxYamlBytes = 64 * 1024;

/** A body by its media type, of those that typed clients send: JSON, YAML or protobuf. */
export function parseObjectBody(bytes: Buffer, mediaType: string): unknown {
  if (mediaType === protobufMediaType) return decodeObject(bytes);
  return parseBody(bytes, { yaml: mediaType === 'application/yaml' });
}

/** A body as JSON, or as YAML where it does not look like JSON and `yaml` allows it. */
export function parseBody(bytes: Buffer, options: { readonly yaml: boolean }): unknown {
  if (!isUtf8(bytes)) throw badRequest('the body is not UTF-8');
  const text = bytes.toString();
  checkDepth(text);
  const first = /\S/.exec(text)?.[0];
  if (options.yaml && first !== '{' && first !== '[') return readYaml(text);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw badRequest(`the body is not valid JSON: ${errorMessage(error)}`);
  }
}

function readYaml(text: string): unknown {
  if (text.length > maxYamlBytes) {
    throw apiError(
      'too_large',
      `Request entity too large: YAML is taken up to ${maxYamlBytes} characters, this has ${text.length}; send JSON`,
    );
  }
  try {
    return parseYaml(text, { maxAliasCount: 100 }) as unknown;
  } catch (error) {
    throw badRequest(`the body is not valid YAML: ${errorMessage(error)}`);
  }
}

/** Deeper values than any schema has would only serve to exhaust the stack. */
function checkDepth(text: string): void {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > maxDepth) throw badRequest(`the body is nested deeper than ${maxDepth} levels`);
    } else if (code === 0x7d || code === 0x5d) depth -= 1;
  }
}
