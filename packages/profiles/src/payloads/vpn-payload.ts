import { defined } from '@tapline/base';
import type { PlistDictionary } from '../plist/plist-value.ts';
import { stableUuid } from '../profile/stable-uuid.ts';
import type { AnyConnectContent, Ikev2Content, OnDemandRule, PerApp } from './payload-content.ts';
import type { PayloadReferences } from './payload-references.ts';

/** The payload's own keys and its type. */
export interface TypedPayload {
  readonly type: string;
  readonly keys: PlistDictionary;
}

/** AES-256-GCM with a P-384 exchange for the tunnel itself, and its renewal within it. */
const proposal = {
  EncryptionAlgorithm: 'AES-256-GCM',
  IntegrityAlgorithm: 'SHA2-384',
  DiffieHellmanGroup: 20,
};

export function ikev2Payload(content: Ikev2Content, references: PayloadReferences): TypedPayload {
  const { server, remoteId, localId, mtu } = content;
  const settings = {
    RemoteAddress: server,
    RemoteIdentifier: remoteId,
    LocalIdentifier: localId,
    ...ikev2Auth(content, references),
    EnablePFS: 1,
    DeadPeerDetectionRate: 'Medium',
    IKESecurityAssociationParameters: proposal,
    ChildSecurityAssociationParameters: proposal,
    ...defined({ MTU: mtu }),
    ...onDemand(content.onDemand),
  };
  return vpnPayload(content, { VPNType: 'IKEv2', IKEv2: settings });
}

function ikev2Auth({ auth, id }: Ikev2Content, references: PayloadReferences): PlistDictionary {
  switch (auth.method) {
    case 'certificate':
      return {
        AuthenticationMethod: 'Certificate',
        PayloadCertificateUUID: references.identity(auth.identity, id),
        CertificateType: auth.certificateType ?? references.keyType(auth.identity),
      };
    case 'secret':
      return { AuthenticationMethod: 'SharedSecret', SharedSecret: auth.secret };
    case 'user':
      return {
        AuthenticationMethod: 'None',
        ExtendedAuthEnabled: 1,
        ...defined({ AuthName: auth.user, AuthPassword: auth.password }),
      };
  }
}

export function anyConnectPayload(
  content: AnyConnectContent,
  references: PayloadReferences,
): TypedPayload {
  const { auth, group, id, server } = content;
  const settings = {
    RemoteAddress: server,
    ...(auth.method === 'certificate'
      ? {
          AuthenticationMethod: 'Certificate',
          PayloadCertificateUUID: references.identity(auth.identity, id),
        }
      : { AuthenticationMethod: 'Password', ...defined({ AuthName: auth.user }) }),
    ...onDemand(content.onDemand),
  };
  return vpnPayload(content, {
    VPNType: 'VPN',
    // Cisco Secure Client's; com.cisco.anyconnect.applevpn.plugin was the one of before iOS 10.
    VPNSubType: 'com.cisco.anyconnect',
    VPN: settings,
    VendorConfig: defined({ Group: group }),
  });
}

function vpnPayload(
  { id, name, perApp }: { readonly id: string; readonly name: string; readonly perApp?: PerApp },
  keys: PlistDictionary,
): TypedPayload {
  const named = { UserDefinedName: name, ...keys };
  if (perApp === undefined) return { type: 'com.apple.vpn.managed', keys: named };
  const domains = perApp.safariDomains ?? [];
  return {
    type: 'com.apple.vpn.managed.applayer',
    keys: {
      ...named,
      VPNUUID: stableUuid(`VPN of apps ${id}`),
      ...(domains.length === 0 ? {} : { SafariDomains: domains }),
    },
  };
}

function onDemand(rules: readonly OnDemandRule[] | undefined): PlistDictionary {
  if (rules === undefined || rules.length === 0) return {};
  return {
    OnDemandEnabled: 1,
    OnDemandRules: rules.map(({ action, ssids, interface: type, probe }) => ({
      Action: action,
      ...defined({ SSIDMatch: ssids, InterfaceTypeMatch: type, URLStringProbe: probe }),
    })),
  };
}
