import { isTaplineError, TaplineError } from '@tapline/base';
import type { ApiObject, AllocationSpec } from '@tapline/resources';
import { segmentResource } from '@tapline/resources';
import { isoTime } from '../ledger.ts';
import type { Operation } from '../plan/operation.ts';
import { foreignFields, setFields } from '../plan/set-fields.ts';
import {
  type Author,
  changeFenced,
  creationMetadata,
  deleteFenced,
  remediationLabel,
} from './fenced-writer.ts';

/** Runs a command in an Install's program; resolves with its exit code. */
export type ExecuteOnDevice = (
  install: string,
  command: readonly string[],
  options: { readonly signal: AbortSignal },
) => Promise<number>;

export interface CarryOutInit extends Author {
  readonly execute: ExecuteOnDevice | undefined;
  readonly notify: (message: string) => void;
  /** Throws `ops_fenced` where another leads: for what is no write to the store. */
  readonly stillLeads: () => Promise<void>;
  readonly nowMs: number;
}

/** Does one operation; twice is as once. What it throws ends the step. */
export async function carryOut(operation: Operation, init: CarryOutInit): Promise<string> {
  switch (operation.kind) {
    case 'none':
      return operation.why;
    case 'approval':
      return 'approved';
    case 'notify':
      await init.stillLeads();
      init.notify(operation.message);
      return 'told';
    case 'change': {
      const { object, fields } = operation;
      await changeFenced(init, operation, (found) => {
        const foreign = foreignFields(found, fields);
        const [first] = foreign;
        // A key of an Allocation goes its own way; its check says whether it went.
        if (first !== undefined && object.kind !== 'Allocation') {
          throw new TaplineError(
            'ops_changed_meanwhile',
            `${first.path.join('.')} of ${object.kind} ${object.name} is not what it was when this was planned`,
          );
        }
        return setFields(found, fields);
      });
      return `changed ${fields.map(({ path }) => path.join('.')).join(', ')}`;
    }
    case 'create':
      return await create(operation, init);
    case 'delete': {
      if (operation.uid !== '') {
        await deleteFenced(init, operation);
        return 'deleted';
      }
      return await deleteOwn(operation.object.name, init);
    }
    case 'end-lease': {
      const object = { kind: 'Allocation', name: operation.allocation } as const;
      const until = isoTime(init.nowMs + operation.quarantineSeconds * 1000);
      await changeFenced(init, { object, uid: '' }, (found) =>
        withLeaseEnded(found, operation, until),
      );
      return `its numbers rest until ${until}`;
    }
    case 'execute': {
      const { install, command } = operation;
      if (init.execute === undefined) {
        throw new TaplineError(
          'ops_action_unsupported',
          'this replica of OpsBot has no tunnels to devices, so it cannot run a command on one',
          { hint: 'have the control plane lead' },
        );
      }
      await init.stillLeads();
      const code = await init.execute(install, command, { signal: init.signal });
      if (code === 0) return 'ended with 0';
      throw new TaplineError(
        'ops_command_failed',
        `${command[0]} on ${install} ended with ${code}`,
      );
    }
  }
}

async function create(
  { object, spec }: Extract<Operation, { kind: 'create' }>,
  init: CarryOutInit,
): Promise<string> {
  if (object.kind !== 'Segment') {
    throw new TaplineError('ops_action_unsupported', `a ${object.kind} cannot be created`);
  }
  try {
    await init.client.create(
      segmentResource,
      // The server fills in the defaults, and says what is not valid.
      { metadata: creationMetadata(object.name, init), spec: spec as never },
      { signal: init.signal },
    );
    return 'created';
  } catch (error) {
    if (!isTaplineError(error, 'already_exists')) throw error;
    return 'is there already';
  }
}

/** Deletes what this run made, and nothing else by that name. */
async function deleteOwn(name: string, init: CarryOutInit): Promise<string> {
  const found = await init.client.get(segmentResource, name, { signal: init.signal });
  const own = found.metadata.labels?.[remediationLabel] === init.remediation.slice(0, 63);
  if (!own) return 'was there before, and stays';
  const { uid = '' } = found.metadata;
  await deleteFenced(init, { object: { kind: 'Segment', name }, uid });
  return 'deleted';
}

function withLeaseEnded(
  found: ApiObject,
  { segmentUid, vni }: Extract<Operation, { kind: 'end-lease' }>,
  until: string,
): ApiObject {
  const spec = found.spec as AllocationSpec;
  const leases = (spec.leases ?? []).map((lease) =>
    lease.uid === segmentUid && lease.first === vni && lease.until === undefined
      ? { ...lease, until }
      : lease,
  );
  return { ...found, spec: { ...spec, leases } };
}
