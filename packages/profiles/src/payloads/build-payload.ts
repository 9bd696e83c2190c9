import { defined } from '@tapline/base';
import type { PlistDictionary } from '../plist/plist-value.ts';
import type { DnsContent, PayloadContent, RelayContent, WifiContent } from './payload-content.ts';
import type { PayloadReferences } from './payload-references.ts';
import { anyConnectPayload, ikev2Payload, type TypedPayload } from './vpn-payload.ts';

/** The payload that Apple's systems know, without the keys that every payload has. */
export function buildPayload(content: PayloadContent, references: PayloadReferences): TypedPayload {
  switch (content.kind) {
    case 'ikev2':
      return ikev2Payload(content, references);
    case 'anyconnect':
      return anyConnectPayload(content, references);
    case 'relay':
      return { type: 'com.apple.relay.managed', keys: relayKeys(content, references) };
    case 'dns':
      return { type: 'com.apple.dnsSettings.managed', keys: dnsKeys(content) };
    case 'web-clip': {
      const { url, name, icon, fullScreen = false, removable = true } = content;
      const shown = { Label: name, URL: url, FullScreen: fullScreen, IsRemovable: removable };
      return { type: 'com.apple.webClip.managed', keys: { ...shown, ...defined({ Icon: icon }) } };
    }
    case 'certificate':
      return {
        type: content.role === 'root' ? 'com.apple.security.root' : 'com.apple.security.pkcs1',
        keys: { PayloadContent: content.der },
      };
    case 'pkcs12':
      return {
        type: 'com.apple.security.pkcs12',
        keys: { PayloadContent: content.data, ...defined({ Password: content.password }) },
      };
    case 'acme': {
      const { directoryUrl, clientIdentifier, commonName, attested = false } = content;
      return {
        type: 'com.apple.security.acme',
        keys: {
          DirectoryURL: directoryUrl,
          ClientIdentifier: clientIdentifier,
          KeyType: 'ECSECPrimeRandom',
          KeySize: 256,
          HardwareBound: attested,
          Attest: attested,
          Subject: [[['CN', commonName]]],
          UsageFlags: 1,
          ExtendedKeyUsage: ['1.3.6.1.5.5.7.3.2'],
        },
      };
    }
    case 'scep': {
      const { url, caName, commonName, challenge } = content;
      return {
        type: 'com.apple.security.scep',
        keys: {
          PayloadContent: {
            URL: url,
            Subject: [[['CN', commonName]]],
            'Key Type': 'RSA',
            // Apple's default is 1024.
            Keysize: 2048,
            'Key Usage': 5,
            ...defined({ Name: caName, Challenge: challenge }),
          },
        },
      };
    }
    case 'wifi':
      return { type: 'com.apple.wifi.managed', keys: wifiKeys(content, references) };
  }
}

function relayKeys(content: RelayContent, references: PayloadReferences): PlistDictionary {
  const { id, relays, matchDomains, excludedDomains } = content;
  return {
    Relays: relays.map(({ http2Url, http3Url, identity }) =>
      defined({
        HTTP3RelayURL: http3Url,
        HTTP2RelayURL: http2Url,
        PayloadCertificateUUID:
          identity === undefined ? undefined : references.identity(identity, id),
      }),
    ),
    ...defined({ MatchDomains: matchDomains, ExcludedDomains: excludedDomains }),
  };
}

function dnsKeys({ server, addresses, matchDomains }: DnsContent): PlistDictionary {
  return {
    DNSSettings: {
      ...(server.protocol === 'https'
        ? { DNSProtocol: 'HTTPS', ServerURL: server.url }
        : { DNSProtocol: 'TLS', ServerName: server.name }),
      ...defined({ ServerAddresses: addresses, SupplementalMatchDomains: matchDomains }),
    },
  };
}

function wifiKeys(content: WifiContent, references: PayloadReferences): PlistDictionary {
  const { id, ssid, hidden = false, security } = content;
  const network = { SSID_STR: ssid, HIDDEN_NETWORK: hidden, AutoJoin: true };
  switch (security.kind) {
    case 'open':
      return { ...network, EncryptionType: 'None' };
    case 'password':
      return {
        ...network,
        EncryptionType: security.wpa3 === true ? 'WPA3' : 'WPA2',
        ...defined({ Password: security.password }),
      };
    case 'certificate':
      return {
        ...network,
        EncryptionType: 'WPA2',
        PayloadCertificateUUID: references.identity(security.identity, id),
        EAPClientConfiguration: {
          // EAP-TLS.
          AcceptEAPTypes: [13],
          TLSTrustedServerNames: security.serverNames,
          ...(security.roots !== undefined && {
            PayloadCertificateAnchorUUID: security.roots.map((root) =>
              references.certificate(root, id),
            ),
          }),
        },
      };
  }
}
