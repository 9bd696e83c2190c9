import { TaplineError } from '@tapline/base';

/** Body of `POST /gateway/v1/enrol`. */
export interface EnrolmentRequest {
  readonly token: string;
  readonly name: string;
  readonly platform: string;
  readonly labels: Readonly<Record<string, string>>;
  /** SubjectPublicKeyInfo in DER, base64url. */
  readonly publicKey: string;
  /** ECDSA signature over token, name and platform (`proveKey`), base64url. */
  readonly proof: string;
}

/** Answer to an enrolment and to a renewal. */
export interface EnrolmentAnswer {
  readonly device: string;
  readonly role: 'device' | 'node';
  /** The device's certificate, then the authority's. */
  readonly certificate: string;
  readonly ca: string;
  /** RFC 3339. */
  readonly notAfter: string;
  /** RFC 3339, by the control plane's clock, so that a device can tell how wrong its own is. */
  readonly serverTime: string;
}

const limits = { token: 512, name: 63, platform: 64, publicKey: 512, proof: 256 } as const;
const maxLabels = 32;
const labelKey =
  /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** Throws `enrolment_invalid` naming the field and the limit. */
export function parseEnrolmentRequest(body: unknown): EnrolmentRequest {
  if (typeof body !== 'object' || body === null) throw invalid('the body is not an object');
  const fields = body as Readonly<Record<string, unknown>>;
  return {
    token: text(fields, 'token'),
    name: text(fields, 'name'),
    platform: text(fields, 'platform'),
    labels: parseLabels(fields['labels']),
    publicKey: text(fields, 'publicKey'),
    proof: text(fields, 'proof'),
  };
}

function text(fields: Readonly<Record<string, unknown>>, name: keyof typeof limits): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') throw invalid(`${name} is not a text`);
  if (value.length > limits[name]) {
    throw invalid(`${name} has ${value.length} characters, more than ${limits[name]}`);
  }
  return value;
}

function parseLabels(value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null) throw invalid('labels is not an object');
  const entries = Object.entries(value);
  if (entries.length > maxLabels) throw invalid(`${entries.length} labels exceed ${maxLabels}`);
  for (const [key, label] of entries) {
    if (!labelKey.test(key) || typeof label !== 'string' || !labelValue.test(label)) {
      throw invalid(`label ${JSON.stringify(key.slice(0, 80))} is not one of Kubernetes`);
    }
  }
  return Object.fromEntries(entries);
}

function invalid(message: string): TaplineError {
  return new TaplineError('enrolment_invalid', message);
}
