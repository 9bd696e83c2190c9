import { booleanFlag, durationFlag, type Flag, listFlag } from '../framework/flag.ts';

/** How long to wait for a delivery, if at all. */
export const waitFlags: { readonly wait: Flag<boolean>; readonly timeout: Flag<number> } = {
  wait: booleanFlag('Wait until every reachable device is ready, and show each stage', {
    short: 'w',
  }),
  timeout: durationFlag('How long to wait', { default: '10m' }),
};

/** How a rollout goes over the devices. */
export const strategyFlags: {
  readonly wave: Flag<readonly string[]>;
  readonly quorum: Flag<readonly string[]>;
  readonly errorBudget: Flag<readonly string[]>;
} = {
  wave: listFlag('Devices each wave reaches in total, such as 1,10%,100%', { valueName: 'SHARE' }),
  quorum: listFlag("Of a wave's reachable devices, how many must be ready before the next", {
    valueName: 'SHARE',
  }),
  errorBudget: listFlag('How many devices may fail before the rollout stops', {
    valueName: 'SHARE',
  }),
};
