import { randomUUID } from 'node:crypto';
import type { ApiServer, AuditSink, Identity } from '@tapline/apiserver';
import { type Clock, errorMessage, isTaplineError, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { answerQuestion, type ChatCommand, parseQuestion, readOps } from '@tapline/opsbot';
import { remediationResource } from '@tapline/resources';
import type { ChatPeople } from '../../monitoring/monitoring-configuration.ts';
import type { GiveApproval } from '../approval-handler.ts';

/** Does what somebody in a chat says, as the user that they are here, and answers in words. */
export interface ChatDesk {
  say(from: {
    /** `slack`, `matrix`. */
    readonly chat: string;
    /** The id that the chat has for them; it has proven who they are. */
    readonly id: string;
    readonly people: ChatPeople;
    readonly command: ChatCommand;
  }): Promise<{ readonly done: boolean; readonly text: string }>;
}

const kind = { group: 'tapline.dev', resource: 'remediations' } as const;
const maxLines = 40;

export function createChatDesk(init: {
  readonly client: ResourceClient;
  readonly allows: ApiServer['allows'];
  readonly approve: GiveApproval;
  readonly audit: AuditSink;
  readonly clock: Clock;
}): ChatDesk {
  const { client, allows, audit, clock } = init;

  async function decide(
    identity: Identity,
    command: Extract<ChatCommand, { kind: 'decide' }>,
  ): Promise<string> {
    const { remediation: name, decision, reason } = command;
    if (!allows(identity, { ...kind, verb: 'create', subresource: 'approve', name })) {
      throw new TaplineError('forbidden', `${identity.user} may not approve`);
    }
    const digest = await wholeDigest(name, command.digest);
    await init.approve(identity, { name, decision, digest, reason });
    return `${name} is ${decision === 'Approved' ? 'approved' : 'rejected'} by ${identity.user}`;
  }

  /** People type its beginning; what it is now has to begin so. */
  async function wholeDigest(name: string, start: string): Promise<string> {
    const { status } = await client.get(remediationResource, name);
    return status?.digest?.startsWith(start) === true ? status.digest : start;
  }

  async function ask(identity: Identity, question: string): Promise<string> {
    if (!allows(identity, { ...kind, verb: 'list' })) {
      throw new TaplineError('forbidden', `${identity.user} may not see what OpsBot does`);
    }
    const state = await readOps(client, AbortSignal.timeout(10_000));
    const { lines, evidence } = answerQuestion(parseQuestion(question), state);
    const seen = evidence.map(({ says, command }) => `${says}: ${command}`);
    return [...lines, ...seen].slice(0, maxLines).join('\n');
  }

  return {
    async say({ chat, id, people, command }) {
      const person = Object.hasOwn(people, id) ? people[id] : undefined;
      const user = person?.user ?? `${chat}:${id}`;
      const identity: Identity = { user, groups: person?.groups ?? [], via: 'chat' };
      let refusal: TaplineError | undefined;
      let text = '';
      try {
        if (person === undefined) {
          throw new TaplineError('forbidden', `${user} is nobody here`, {
            hint: 'an administrator says who is who in the file of --monitoring-config',
          });
        }
        text =
          command.kind === 'ask'
            ? await ask(identity, command.question)
            : await decide(identity, command);
      } catch (error) {
        if (!isTaplineError(error)) throw error;
        refusal = error;
        text = `not done: ${errorMessage(error)}`;
      }
      if (command.kind === 'decide') {
        audit.record({
          time: new Date(clock.now()).toISOString(),
          id: randomUUID(),
          user,
          groups: identity.groups,
          via: 'chat',
          verb: 'create',
          ...kind,
          subresource: 'approve',
          name: command.remediation,
          decision: refusal?.code === 'forbidden' ? 'deny' : 'allow',
          code: refusal === undefined ? 200 : refusal.code === 'forbidden' ? 403 : 409,
          detail: `${command.decision} ${command.digest} in ${chat} by ${id}`,
        });
        await audit.written();
      }
      return { done: refusal === undefined, text };
    },
  };
}
