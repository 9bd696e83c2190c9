import { TaplineError } from '@tapline/base';
import type { SessionHub } from '@tapline/gateway';
import type { ExecuteOnDevice } from '@tapline/opsbot';
import type { Install } from '@tapline/resources';

const maxMs = 60_000;

/** Runs a command in the program of an Install, as `tapline exec` does; its output goes nowhere. */
export function createExecuteOnDevice(init: {
  readonly hub: Pick<SessionHub, 'call'>;
  readonly install: (name: string) => Install | undefined;
}): ExecuteOnDevice {
  return async (name, command, options) => {
    const install = init.install(name);
    if (install === undefined) {
      throw new TaplineError('ops_command_failed', `install ${name} does not exist any more`);
    }
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(maxMs)]);
    const { uid = '' } = install.metadata;
    const call = await init.hub.call(
      install.spec.device,
      (calls, more) => calls.exec(oneCommand({ name, uid }, command), more),
      { signal },
    );
    try {
      for await (const { output } of call.rest) {
        if (output.case !== 'outcome') continue;
        const { outcome } = output.value;
        if (outcome.case === 'exitCode') return outcome.value;
        const said = outcome.case === 'failure' ? outcome.value.message : 'no outcome';
        throw new TaplineError('ops_command_failed', `${command[0]} on ${name}: ${said}`);
      }
    } finally {
      call.cancel();
    }
    throw new TaplineError('ops_command_failed', `${command[0]} on ${name}: the device went away`);
  };
}

async function* oneCommand(
  install: { readonly name: string; readonly uid: string },
  command: readonly string[],
) {
  const value = { install, command: [...command], stdin: false };
  yield await Promise.resolve({ input: { case: 'start', value } } as const);
}
