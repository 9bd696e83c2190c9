import { type Flag, textFlag } from '../framework/flag.ts';

/** Where the control plane is and who asks; every command that talks to it has these. */
export const connectionFlags: {
  readonly kubeconfig: Flag<string | undefined>;
  readonly context: Flag<string | undefined>;
} = {
  kubeconfig: textFlag('Which kubeconfig names the control plane', {
    valueName: 'FILE',
    environment: 'TAPLINE_KUBECONFIG',
  }),
  context: textFlag('Which context of it; absent the current one', { valueName: 'NAME' }),
};
