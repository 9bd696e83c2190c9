/** Where an Icinga 2 is, whom to believe to be it, and who we are to it. */
export interface IcingaEndpoint {
  /** `https://host:port`. */
  readonly url: string;
  /** PEM of the one certificate authority that may have signed its certificate. */
  readonly caPem: string;
  /** The name in its certificate, where that is not the host of the URL: Icinga's node name. */
  readonly serverName?: string | undefined;
  readonly login:
    | { readonly kind: 'password'; readonly username: string; readonly password: string }
    | { readonly kind: 'certificate'; readonly certificatePem: string; readonly keyPem: string };
}
