export { createProfileLinks, type ProfileGrant, type ProfileLinks } from './links/profile-links.ts';
export type {
  AcmeContent,
  AnyConnectContent,
  CertificateContent,
  DnsContent,
  Ikev2Content,
  OnDemandRule,
  PayloadContent,
  PerApp,
  Pkcs12Content,
  RelayContent,
  ScepContent,
  WebClipContent,
  WifiContent,
} from './payloads/payload-content.ts';
export { formatPlist } from './plist/format-plist.ts';
export type { PlistDictionary, PlistValue } from './plist/plist-value.ts';
export { buildProfile, type BuiltProfile, type ProfileContent } from './profile/build-profile.ts';
export { stableUuid } from './profile/stable-uuid.ts';
export { checkPayload } from './schema/check-payload.ts';
export type { AppleSystem } from './schema/payload-schema.ts';
export type { ProfileFinding } from './schema/profile-finding.ts';
export type { ProfileTarget } from './schema/system-version.ts';
export { parseProfileSigner, type ProfileSigner } from './signing/profile-signer.ts';
export { profileMediaType, signProfile } from './signing/sign-profile.ts';
