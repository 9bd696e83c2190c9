import type { MessageInitShape } from '@bufbuild/protobuf';
import { defined } from '@tapline/base';
import type { Condition, InstallStatus } from '@tapline/resources';
import type {
  Condition as ConditionMessage,
  InstallStatus as StatusMessage,
  InstallStatusSchema,
} from './generated/tapline/gateway/v1/gateway_pb.ts';
import { whole } from './whole.ts';

type Status = InstallStatus;

/** A status as calls carry it. */
export function installStatusMessage(status: Status): MessageInitShape<typeof InstallStatusSchema> {
  const { observedRevision, active, fetchedBytes, fetchedBlobs, restarts, conditions } = status;
  return {
    ...defined({ state: status.state, stages: status.stages, error: status.error }),
    ...counts({ observedRevision, fetchedBytes, fetchedBlobs, restarts }),
    ...(active === undefined ? {} : { active: { ...active, revision: BigInt(active.revision) } }),
    conditions: (conditions ?? []).map(({ observedGeneration, ...rest }) => ({
      ...rest,
      ...counts({ observedGeneration }),
    })),
  };
}

/** The status of a message. Whether its texts are such as they may be is for the API to say. */
export function installStatusOf(status: StatusMessage): Status {
  const { active, conditions, error, stages, state } = status;
  return whole<Status>({
    observedRevision: numberOf(status.observedRevision),
    state: state as Status['state'],
    active:
      active === undefined
        ? undefined
        : {
            version: active.version,
            digest: active.digest,
            revision: Number(active.revision),
          },
    stages: Object.keys(stages).length === 0 ? undefined : stages,
    fetchedBytes: numberOf(status.fetchedBytes),
    fetchedBlobs: numberOf(status.fetchedBlobs),
    restarts: numberOf(status.restarts),
    error:
      error === undefined
        ? undefined
        : whole<NonNullable<Status['error']>>({
            code: error.code,
            message: error.message,
            hint: error.hint,
          }),
    conditions: conditions.length === 0 ? undefined : conditions.map(conditionOf),
  });
}

function conditionOf(condition: ConditionMessage): Condition {
  const { type, status, reason, message, lastTransitionTime } = condition;
  return whole<Condition>({
    type,
    status: status as Condition['status'],
    reason,
    message,
    observedGeneration: numberOf(condition.observedGeneration),
    lastTransitionTime,
  });
}

/** Numbers of the API as those of a message. */
function counts<T extends Readonly<Record<string, number | undefined>>>(
  numbers: T,
): { [K in keyof T]?: bigint } {
  return Object.fromEntries(
    Object.entries(numbers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, BigInt(value)]],
    ),
  ) as { [K in keyof T]?: bigint };
}

function numberOf(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
