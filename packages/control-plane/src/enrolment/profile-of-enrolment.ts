import { X509Certificate } from 'node:crypto';
import { defined, TaplineError } from '@tapline/base';
import {
  type BuiltProfile,
  buildProfile,
  type PayloadContent,
  type ProfileTarget,
} from '@tapline/profiles';
import type { Enrolment, EnrolmentPayload } from '@tapline/resources';

// What only lacks a version has to be known by the newest.
const newest = '99';

/** The profile that an Enrolment asks for. Throws `profile_invalid`. */
export function profileOfEnrolment({ metadata, spec }: Enrolment): BuiltProfile {
  const target: ProfileTarget = {
    system: spec.system,
    version: spec.systemVersion ?? newest,
  };
  return buildProfile(
    {
      identifier: spec.identifier ?? `dev.tapline.${metadata.name}`,
      name: spec.title,
      ...defined({ organization: spec.organization, description: spec.description }),
      payloads: spec.payloads.map(contentOf),
    },
    { target },
  );
}

const kinds = [
  'webClip',
  'dns',
  'relay',
  'certificate',
  'acme',
  'scep',
  'ikev2',
  'anyConnect',
  'wifi',
] as const;

function contentOf(payload: EnrolmentPayload): PayloadContent {
  const given = kinds.filter((kind) => payload[kind] !== undefined);
  if (given.length !== 1) {
    const what = given.length === 0 ? 'nothing' : given.join(' and ');
    throw invalid(payload, `it is ${what}; it must be one of ${kinds.join(', ')}`);
  }
  const { id, name, webClip, dns, relay, certificate, acme, scep, ikev2, anyConnect, wifi } =
    payload;
  const perApp = payload.perApp && defined(payload.perApp);
  if (perApp !== undefined && ikev2 === undefined && anyConnect === undefined) {
    throw invalid(payload, 'perApp goes with ikev2 or anyConnect');
  }
  if (webClip !== undefined) {
    return { kind: 'web-clip', id, name, url: webClip.url, ...defined(webClip) };
  }
  if (dns !== undefined) return dnsContent(payload, dns);
  if (relay !== undefined) {
    const { http2Url, http3Url, identity, matchDomains, excludedDomains } = relay;
    const relays = [defined({ http2Url, http3Url, identity })];
    return { kind: 'relay', id, name, relays, ...defined({ matchDomains, excludedDomains }) };
  }
  if (certificate !== undefined) {
    return { kind: 'certificate', id, name, role: certificate.role, der: derOf(payload) };
  }
  if (acme !== undefined) {
    const { directoryUrl, clientIdentifier, commonName, attested } = acme;
    const own = { directoryUrl, clientIdentifier, commonName, ...defined({ attested }) };
    return { kind: 'acme', id, name, ...own };
  }
  if (scep !== undefined) {
    const { url, commonName, caName } = scep;
    return { kind: 'scep', id, name, url, commonName, ...defined({ caName }) };
  }
  if (wifi !== undefined) return wifiContent(payload, wifi);
  if (ikev2 !== undefined) {
    const { server, remoteId, localId, identity, user, mtu } = ikev2;
    return {
      kind: 'ikev2',
      id,
      name,
      server,
      remoteId,
      localId,
      auth:
        identity === undefined
          ? { method: 'user', ...defined({ user }) }
          : { method: 'certificate', identity },
      ...defined({ mtu, perApp, onDemand: rules(ikev2.onDemand) }),
    };
  }
  if (anyConnect === undefined) throw invalid(payload, 'it is nothing');
  const { server, group, identity, user } = anyConnect;
  return {
    kind: 'anyconnect',
    id,
    name,
    server,
    auth:
      identity === undefined
        ? { method: 'user', ...defined({ user }) }
        : { method: 'certificate', identity },
    ...defined({ group, perApp, onDemand: rules(anyConnect.onDemand) }),
  };
}

function dnsContent(
  payload: EnrolmentPayload,
  dns: NonNullable<EnrolmentPayload['dns']>,
): PayloadContent {
  const { id, name } = payload;
  const { httpsUrl, tlsName, addresses, matchDomains } = dns;
  const more = defined({ addresses, matchDomains });
  if (httpsUrl !== undefined && tlsName === undefined) {
    return { kind: 'dns', id, name, server: { protocol: 'https', url: httpsUrl }, ...more };
  }
  if (tlsName !== undefined && httpsUrl === undefined) {
    return { kind: 'dns', id, name, server: { protocol: 'tls', name: tlsName }, ...more };
  }
  throw invalid(payload, 'dns needs one of httpsUrl and tlsName');
}

function wifiContent(
  payload: EnrolmentPayload,
  wifi: NonNullable<EnrolmentPayload['wifi']>,
): PayloadContent {
  const { id, name } = payload;
  const { ssid, hidden, identity, serverNames } = wifi;
  const network = { kind: 'wifi', id, name, ssid, ...defined({ hidden }) } as const;
  switch (wifi.security) {
    case 'Open':
      return { ...network, security: { kind: 'open' } };
    case 'WPA2':
    case 'WPA3':
      return { ...network, security: { kind: 'password', wpa3: wifi.security === 'WPA3' } };
    case 'Certificate':
      if (identity === undefined || serverNames === undefined) {
        throw invalid(payload, 'wifi with Certificate needs identity and serverNames');
      }
      return { ...network, security: { kind: 'certificate', identity, serverNames } };
  }
}

function rules(
  given: NonNullable<EnrolmentPayload['ikev2']>['onDemand'],
): Extract<PayloadContent, { kind: 'ikev2' }>['onDemand'] {
  return given?.map(({ action, ssids, interface: type, probe }) => ({
    action,
    ...defined({ ssids, interface: type, probe }),
  }));
}

function derOf(payload: EnrolmentPayload): Uint8Array {
  try {
    return new X509Certificate(payload.certificate?.pem ?? '').raw;
  } catch (cause) {
    throw invalid(payload, 'certificate.pem is no certificate in PEM', cause);
  }
}

function invalid({ id }: EnrolmentPayload, why: string, cause?: unknown): TaplineError {
  return new TaplineError('profile_invalid', `payload ${id}: ${why}`, { cause });
}
