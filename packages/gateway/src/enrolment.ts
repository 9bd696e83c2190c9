import { type Clock, isTaplineError, type Log, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  type Device,
  deviceKeyAnnotation,
  deviceResource,
  revokedDeviceKey,
  type Token,
  tokenResource,
} from '@tapline/resources';
import { assertDeviceKey, deviceRevoked } from './assert-device-key.ts';
import type { CertificateAuthority, IssuedCertificate } from './certificate-authority.ts';
import { checkDeviceName, devicesGroup, deviceUser, nodesGroup } from './device-names.ts';
import { keyFingerprint, verifyProof } from './enrolment-proof.ts';
import type { EnrolmentAnswer, EnrolmentRequest } from './enrolment-request.ts';
import { secretMatches } from './hash-secret.ts';
import { parseJoinToken } from './join-token.ts';

/** Lets devices in, and keeps their certificates fresh. */
export interface Enrolment {
  /**
   * Errors: `token_malformed`, `token_unknown`, `token_expired`, `token_used`, `ca_mismatch`,
   * `device_name_invalid`, `device_name_taken`, `device_revoked`, `labels_refused`,
   * `proof_invalid`.
   */
  enrol(request: EnrolmentRequest): Promise<EnrolmentAnswer>;
  /**
   * For a device that showed its certificate. Errors: `device_unknown`, `device_key_replaced`,
   * `device_revoked`.
   */
  renew(peer: {
    readonly device: string;
    readonly publicKey: Uint8Array;
  }): Promise<EnrolmentAnswer>;
}

const listedDevices = 1000;
const dayMs = 86_400_000;

export function createEnrolment(init: {
  readonly authority: CertificateAuthority;
  readonly client: ResourceClient;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a device's certificate is valid; a day unless given. */
  readonly certificateLifetimeMs?: number;
}): Enrolment {
  const { authority, client, clock, log } = init;

  async function enrol(request: EnrolmentRequest): Promise<EnrolmentAnswer> {
    const { name } = request;
    const given = parseJoinToken(request.token);
    if (given.caFingerprint !== authority.fingerprint) {
      throw new TaplineError('ca_mismatch', 'the join token is for another control plane');
    }
    checkDeviceName(name);
    const publicKey = verifyProof(request, request);
    const key = keyFingerprint(publicKey);
    const token = await checkedToken(given);
    const { role } = token.spec;
    const labels = allowedLabels(token, request.labels);

    // The Device comes first: where it exists with this key and the token lists it, this is a retry
    // of a request whose answer was lost, and a use is not counted twice.
    const existing = await find(name);
    if (existing !== undefined) checkKey(existing, key);
    if (existing === undefined && exhausted(token)) throw tokenUsed(token);
    const device = existing ?? (await createDevice({ request, labels, role, key }));
    try {
      await claim(given, name);
    } catch (error) {
      if (existing === undefined) await withdraw(device);
      throw error;
    }
    log.info('device enrolled', {
      device: name,
      token: given.name,
      readopted: existing !== undefined,
    });
    return answer(name, role, issue(name, role, publicKey));
  }

  async function checkedToken(given: {
    readonly name: string;
    readonly secret: string;
  }): Promise<Token> {
    const token = await orUndefined(client.get(tokenResource, given.name));
    // One answer for a wrong name and a wrong secret: names are not to be found out.
    if (token?.spec.purpose !== 'Join' || !secretMatches(given.secret, token.spec.hash)) {
      throw new TaplineError('token_unknown', 'no such join token', {
        hint: 'make one with `tapline token create`',
      });
    }
    if (Date.parse(token.spec.expiresAt) <= clock.now()) {
      throw new TaplineError('token_expired', `the join token expired at ${token.spec.expiresAt}`, {
        hint: 'make another with `tapline token create`',
      });
    }
    return token;
  }

  /** Counts a use of the token for `device`, by compare and swap, unless it was counted before. */
  async function claim(
    given: { readonly name: string; readonly secret: string },
    device: string,
  ): Promise<void> {
    for (;;) {
      const token = await checkedToken(given);
      const devices = token.status?.devices ?? [];
      if (devices.includes(device)) return;
      if (exhausted(token)) throw tokenUsed(token);
      const status = {
        ...token.status,
        used: (token.status?.used ?? 0) + 1,
        devices: [device, ...devices].slice(0, listedDevices),
      };
      try {
        await client.updateStatus(tokenResource, { ...token, status });
        return;
      } catch (error) {
        if (!isTaplineError(error, 'conflict')) throw error;
      }
    }
  }

  async function createDevice(wanted: {
    readonly request: EnrolmentRequest;
    readonly labels: Readonly<Record<string, string>>;
    readonly role: 'device' | 'node';
    readonly key: string;
  }): Promise<Device> {
    const { request, labels, role, key } = wanted;
    try {
      return await client.create(deviceResource, {
        metadata: { name: request.name, labels, annotations: { [deviceKeyAnnotation]: key } },
        spec: { platform: request.platform, role },
      });
    } catch (error) {
      if (!isTaplineError(error, 'already_exists')) throw error;
      const winner = await client.get(deviceResource, request.name);
      checkKey(winner, key);
      return winner;
    }
  }

  /** Takes back a Device whose token turned out to be used up. */
  async function withdraw(device: Device): Promise<void> {
    const { name, uid } = device.metadata;
    if (uid === undefined) return;
    try {
      // Whatever its revision: its conditions are written as soon as it is there.
      await client.delete(deviceResource, name, { uid });
    } catch (error) {
      log.warn('device without a valid token was not withdrawn', { device: name, error });
    }
  }

  async function find(name: string): Promise<Device | undefined> {
    return orUndefined(client.get(deviceResource, name));
  }

  function issue(name: string, role: 'device' | 'node', publicKey: Uint8Array): IssuedCertificate {
    const lifetimeMs = init.certificateLifetimeMs ?? dayMs;
    return authority.issueClient({
      user: deviceUser(name, role),
      groups: [role === 'node' ? nodesGroup : devicesGroup],
      publicKey,
      lifetimeMs,
    });
  }

  function answer(
    device: string,
    role: 'device' | 'node',
    issued: IssuedCertificate,
  ): EnrolmentAnswer {
    return {
      device,
      role,
      certificate: issued.certificatePem,
      ca: authority.certificatePem,
      notAfter: new Date(issued.notAfter).toISOString(),
      serverTime: new Date(clock.now()).toISOString(),
    };
  }

  return {
    enrol,
    async renew({ device: name, publicKey }) {
      const device = await find(name);
      if (device === undefined) throw deviceUnknown(name);
      assertDeviceKey(device, publicKey);
      const { role } = device.spec;
      return answer(name, role, issue(name, role, publicKey));
    },
  };
}

/** A device that nobody knows, or no longer. */
export function deviceUnknown(name: string): TaplineError {
  return new TaplineError('device_unknown', `device ${name} is not enrolled`, {
    hint: 'enrol it with `tapline join`',
  });
}

function checkKey(device: Device, key: string): void {
  const { name, annotations } = device.metadata;
  if (annotations?.[deviceKeyAnnotation] === key) return;
  if (annotations?.[deviceKeyAnnotation] === revokedDeviceKey) throw deviceRevoked(name);
  throw new TaplineError('device_name_taken', `device name ${name} belongs to another key`, {
    hint: `choose another name, or delete the old device with \`tapline delete device ${name}\``,
  });
}

function exhausted(token: Token): boolean {
  return (token.status?.used ?? 0) >= token.spec.uses;
}

function tokenUsed(token: Token): TaplineError {
  const { uses } = token.spec;
  return new TaplineError('token_used', `the join token was used ${uses} of ${uses} times`, {
    hint: 'make another with `tapline token create`',
    details: { uses },
  });
}

function allowedLabels(
  token: Token,
  extra: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const fixed = token.spec.labels ?? {};
  const policy = token.spec.extraLabels ?? (Object.keys(fixed).length === 0 ? 'Allow' : 'Refuse');
  const added = Object.entries(extra).filter(([key, value]) => fixed[key] !== value);
  const refused = added.find(([key]) => policy === 'Refuse' || key in fixed);
  if (refused !== undefined) {
    throw new TaplineError('labels_refused', `the join token does not allow label ${refused[0]}`, {
      details: { label: refused[0] },
    });
  }
  return { ...extra, ...fixed };
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isTaplineError(error, 'not_found')) return undefined;
    throw error;
  }
}
