import type { Clock } from '@tapline/base';
import type { AccessControl } from './access/authorize.ts';
import type { Attributes } from './access/authorizer.ts';
import { forbidden } from './access/forbidden.ts';
import type { AuditEntry, AuditSink } from './audit-entry.ts';
import type { WriteOutcome } from './engine/write-context.ts';
import type { Caller } from './operations.ts';
import type { ServedKind } from './served-kind.ts';
import { statusOf } from './status.ts';

/** What a request is about, for the decision and the audit log. */
export interface Target {
  readonly caller: Caller;
  readonly verb: string;
  readonly kind: ServedKind;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly requiredField?: ((path: string) => string | undefined) | undefined;
  readonly dryRun?: boolean;
  readonly detail?: string | undefined;
}

export interface GateInit {
  readonly access: AccessControl;
  readonly audit: AuditSink;
  readonly clock: Clock;
  readonly newId: () => string;
}

const maxChanged = 64;
const maxDetail = 256;

/** Where who writes an object can say why; a request header says it for one request. */
const reasonAnnotation = 'tapline.dev/reason';

/**
 * Where everybody passes: decides, and writes down what was done and what was refused. While that
 * cannot be written down, nothing further is done.
 */
export class Gate {
  readonly #init: GateInit;
  /** Entries wait that the audit log could not take. */
  #isBehind = false;

  constructor(init: GateInit) {
    this.#init = init;
  }

  /** Passes or throws `forbidden`, which is in the audit log by then. */
  async check(target: Target): Promise<void> {
    const decision = this.#init.access.decide(attributesOf(target));
    if (!decision.allowed) await this.#refuse(target, decision.reason);
  }

  /** Runs an allowed write; its entry is written before this answers, also where it fails. */
  async write(target: Target, run: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
    await this.check(target);
    await this.#catchUp();
    let outcome: WriteOutcome;
    try {
      outcome = await run();
    } catch (error) {
      const { code, reason } = statusOf(error);
      await this.#record(target, { decision: 'allow', code, reason: reason ?? '' });
      throw error;
    }
    await this.#record(target, outcomeFields(outcome));
    return outcome;
  }

  /** Notes an action that is no write, such as a stream to a device. */
  async note(target: Target): Promise<void> {
    await this.#catchUp();
    await this.#record(target, { decision: 'allow', code: 200 });
  }

  async #refuse(target: Target, reason: string): Promise<never> {
    await this.#catchUp();
    await this.#record(target, { decision: 'deny', code: 403, reason });
    throw forbidden(attributesOf(target), target.kind.kind, reason);
  }

  /** Throws `unavailable` while entries wait: what waits is no more than what was under way. */
  async #catchUp(): Promise<void> {
    if (this.#isBehind) await this.#written();
  }

  async #record(
    target: Target,
    result: Pick<AuditEntry, 'decision' | 'code'> & Partial<AuditEntry>,
  ): Promise<void> {
    this.#init.audit.record(this.#entry(target, result));
    await this.#written();
  }

  async #written(): Promise<void> {
    try {
      await this.#init.audit.written();
      this.#isBehind = false;
    } catch (error) {
      this.#isBehind = true;
      throw error;
    }
  }

  #entry(
    target: Target,
    result: Pick<AuditEntry, 'decision' | 'code'> & Partial<AuditEntry>,
  ): AuditEntry {
    const { caller, verb, kind, subresource, namespace, name, dryRun, detail } = target;
    const { identity, userAgent, reason, sourceAddress } = caller;
    return {
      time: new Date(this.#init.clock.now()).toISOString(),
      id: this.#init.newId(),
      user: identity.user,
      groups: identity.groups,
      via: identity.via,
      verb,
      group: kind.group,
      resource: kind.plural,
      ...(subresource === undefined ? {} : { subresource }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
      ...(dryRun === true ? { dryRun } : {}),
      ...(detail === undefined ? {} : { detail: detail.slice(0, maxDetail) }),
      ...(reason === undefined ? {} : { reason }),
      ...result,
      ...(userAgent === undefined ? {} : { userAgent }),
      ...(sourceAddress === undefined ? {} : { sourceAddress }),
    };
  }
}

function outcomeFields(
  outcome: WriteOutcome,
): Pick<AuditEntry, 'decision' | 'code'> & Partial<AuditEntry> {
  const { stored, before, changed, kind } = outcome;
  const { name, uid, annotations } = stored.object.metadata;
  const why = annotations?.[reasonAnnotation];
  return {
    decision: 'allow',
    code: kind === 'created' ? 201 : 200,
    name,
    ...(uid === undefined ? {} : { uid }),
    ...(why === undefined ? {} : { reason: why }),
    ...(before === undefined ? {} : { before: String(before) }),
    after: String(stored.revision),
    ...(changed.length === 0 ? {} : { changed: changed.slice(0, maxChanged) }),
  };
}

function attributesOf(target: Target): Attributes {
  return {
    identity: target.caller.identity,
    verb: target.verb,
    group: target.kind.group,
    resource: target.kind.plural,
    subresource: target.subresource ?? '',
    namespace: target.namespace,
    name: target.name,
    requiredField: target.requiredField,
  };
}
