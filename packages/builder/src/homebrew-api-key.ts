import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errorMessage, TaplineError } from '@tapline/base';

/**
 * What Homebrew signs its API with, kid `homebrew-1`: data, copied from Homebrew/brew,
 * `Library/Homebrew/api/homebrew-1.pem` (BSD-2-Clause, © Homebrew contributors).
 */
const homebrewPem = `-----BEGIN PUBLIC KEY-----
MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAyKoOYzp1rhwXISRi61BY
XBEr2PalSK8lEVOL2USy7mpy0OubOlFyujawyQcBcCn+uPOJ/WaK+POhNWcLLoiK
L2m8GViaQm7SMwdLKUXFgKSPHcG/1m6Vu+TNBKTfQqT60PjEYIrn5NW9ZrM0cUhK
REmsbeAMBevdSaW9UwY9iIhprrgovvT8SzKhF8ZOIZKXfJX4VNk0y/7VJYNuGGqH
3npxV7OKd4yTGRGqFcC9kJ84me3thiu0yqlOjASmfWIwIwcfp4j6BEM2LuqKd7yX
h51/O+MTthkuxV36moDKfdgdOFsvlCFkziaYLScCX9lOlmZHtOfJTAOXxTmM7qGr
wTGK0vhvTi8k9dBmH/dccredQBtPOfM/FEdeyakGLoTcDguiBS/4El3I2KtF6B2h
OGoBumR915/cI4drr5yPMduZ7gjs7ZEZnVkeVzic24TfUHpnOYzrhucNJtHMBDj9
6d1Gk82AhtuF9KlusLmCb6qXCWQSp/A4RZpN37E/p9q8rLp/7B/zp8X2TVvecPNy
BdMagdktdEqK7WPlYMcUp56JaOph8vqYoU+oGyCpWoLvcXFb75o4eefuu6Rs5SyM
c9JCCJ0DDFPjCRFnGPkvsKxFCzMFqH1jpWH0RQIrgmNVM5PO84iRH9YJsSPQzpMj
KvK/ZH4YgR9wNkBNagFo7lsCAwEAAQ==
-----END PUBLIC KEY-----
`;

const minBits = 2048;

/** The key that formula data has to be signed with: the one in `file`, or Homebrew's own. */
export function loadHomebrewApiKey(file: string | undefined): KeyObject {
  if (file === undefined) return createPublicKey(homebrewPem);
  let key: KeyObject;
  try {
    key = createPublicKey(readFileSync(file));
  } catch (cause) {
    throw refused(file, `cannot be read as a public key: ${errorMessage(cause)}`, cause);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < minBits) {
    throw refused(file, `is no RSA key of ${minBits} bits or more`);
  }
  return key;
}

function refused(file: string, why: string, cause?: unknown): TaplineError {
  return new TaplineError('configuration_invalid', `the key of the formula API ${file} ${why}`, {
    hint: "name the PEM file with the mirror's public key, or leave it out for Homebrew's own",
    details: { file },
    ...(cause !== undefined && { cause }),
  });
}
