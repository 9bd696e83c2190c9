/** As cosign and in-toto name them. */
export const signatureMediaTypes = {
  /** Artifact type of a signature's manifest. */
  signature: 'application/vnd.dev.cosign.artifact.sig.v1+json',
  payload: 'application/vnd.dev.cosign.simplesigning.v1+json',
  /** A signed statement, and the artifact type of its manifest. */
  envelope: 'application/vnd.dsse.envelope.v1+json',
  statement: 'application/vnd.in-toto+json',
  signatureAnnotation: 'dev.cosignproject.cosign/signature',
} as const;
