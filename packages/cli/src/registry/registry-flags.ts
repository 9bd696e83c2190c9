import { connectionFlags } from '../connection/connection-flags.ts';
import { type Flag, textFlag } from '../framework/flag.ts';

/** How registries are reached; every command that talks to one has these. */
export const registryFlags: typeof connectionFlags & {
  readonly authfile: Flag<string | undefined>;
  readonly caFile: Flag<string | undefined>;
} = {
  authfile: textFlag('Where logins are; absent where podman and docker keep them', {
    valueName: 'FILE',
    environment: 'REGISTRY_AUTH_FILE',
  }),
  caFile: textFlag('Certificate authority to trust of other registries', { valueName: 'FILE' }),
  ...connectionFlags,
};
