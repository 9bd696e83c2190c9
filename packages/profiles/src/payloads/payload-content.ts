/** What every payload has. */
interface Common {
  /** Names it within its profile: letters, digits, dots and hyphens. It must not change. */
  readonly id: string;
  /** What the device shows. */
  readonly name: string;
}

/** When a VPN connects by itself; the first that matches counts. */
export interface OnDemandRule {
  readonly action: 'Connect' | 'Disconnect' | 'Ignore';
  readonly ssids?: readonly string[];
  readonly interface?: 'Ethernet' | 'WiFi' | 'Cellular';
  /** Matches where this answers 200. */
  readonly probe?: string;
}

/** Makes a VPN one for certain apps, which MDM names, and for these domains in Safari. */
export interface PerApp {
  readonly safariDomains?: readonly string[];
}

interface Vpn extends Common {
  readonly server: string;
  readonly onDemand?: readonly OnDemandRule[];
  readonly perApp?: PerApp;
}

export interface Ikev2Content extends Vpn {
  readonly kind: 'ikev2';
  readonly remoteId: string;
  readonly localId: string;
  readonly auth:
    | {
        readonly method: 'certificate';
        /** Id of a payload with an identity. */
        readonly identity: string;
        readonly certificateType?: 'RSA' | 'ECDSA256' | 'ECDSA384' | 'ECDSA521';
      }
    | { readonly method: 'secret'; readonly secret: string }
    /** Absent name or password: the device asks. */
    | { readonly method: 'user'; readonly user?: string; readonly password?: string };
  readonly mtu?: number;
}

export interface AnyConnectContent extends Vpn {
  readonly kind: 'anyconnect';
  readonly group?: string;
  readonly auth:
    | { readonly method: 'certificate'; readonly identity: string }
    | { readonly method: 'user'; readonly user?: string };
}

export interface RelayContent extends Common {
  readonly kind: 'relay';
  readonly relays: readonly {
    readonly http3Url?: string;
    readonly http2Url?: string;
    readonly identity?: string;
  }[];
  readonly matchDomains?: readonly string[];
  readonly excludedDomains?: readonly string[];
}

export interface DnsContent extends Common {
  readonly kind: 'dns';
  readonly server:
    | { readonly protocol: 'https'; readonly url: string }
    | { readonly protocol: 'tls'; readonly name: string };
  readonly addresses?: readonly string[];
  readonly matchDomains?: readonly string[];
}

export interface WebClipContent extends Common {
  readonly kind: 'web-clip';
  readonly url: string;
  /** PNG. */
  readonly icon?: Uint8Array;
  readonly fullScreen?: boolean;
  readonly removable?: boolean;
}

export interface CertificateContent extends Common {
  readonly kind: 'certificate';
  /** A root is trusted, for TLS once the user says so; others complete chains. */
  readonly role: 'root' | 'intermediate';
  readonly der: Uint8Array;
}

export interface Pkcs12Content extends Common {
  readonly kind: 'pkcs12';
  readonly data: Uint8Array;
  /** Absent: the device asks. */
  readonly password?: string;
}

export interface AcmeContent extends Common {
  readonly kind: 'acme';
  readonly directoryUrl: string;
  readonly clientIdentifier: string;
  readonly commonName: string;
  /** Whether the Secure Enclave makes the key and says so to the server. */
  readonly attested?: boolean;
}

export interface ScepContent extends Common {
  readonly kind: 'scep';
  readonly url: string;
  readonly caName?: string;
  readonly commonName: string;
  readonly challenge?: string;
}

export interface WifiContent extends Common {
  readonly kind: 'wifi';
  readonly ssid: string;
  readonly hidden?: boolean;
  readonly security:
    | { readonly kind: 'open' }
    /** Absent password: the device asks. */
    | { readonly kind: 'password'; readonly password?: string; readonly wpa3?: boolean }
    | {
        readonly kind: 'certificate';
        readonly identity: string;
        /** Names that the RADIUS server's certificate may have. */
        readonly serverNames: readonly string[];
        /** Ids of certificate payloads. */
        readonly roots?: readonly string[];
      };
}

export type PayloadContent =
  | Ikev2Content
  | AnyConnectContent
  | RelayContent
  | DnsContent
  | WebClipContent
  | CertificateContent
  | Pkcs12Content
  | AcmeContent
  | ScepContent
  | WifiContent;
