/** Where a control plane takes tunnels, as an upgrade of HTTP/1.1. */
export const tunnelPath = '/gateway/v1/tunnel';

/** The upgrade to bytes without any more framing than TLS's. */
export const tunnelUpgrade = 'tapline-tunnel';

/** A message carries whatever was written at once; a session never writes more. */
export const maxTunnelMessageBytes = 1_048_576;
