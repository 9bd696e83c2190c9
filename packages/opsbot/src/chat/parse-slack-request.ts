import { isRecord, TaplineError } from '@tapline/base';
import { type ChatCommand, parseChatCommand } from './parse-chat-command.ts';

export interface SlackRequest {
  /** Slack's id of who did it, as `U012AB3CD`. */
  readonly user: string;
  readonly command: ChatCommand;
  /** Where the message can be replaced, for a button. */
  readonly responseUrl?: string;
}

const idPattern = /^[UW][A-Z0-9]{2,20}$/;
const digestPattern = /^[0-9a-f]{64}$/;

/**
 * What Slack sends where somebody clicks a button (`payload`), or uses a slash command (`text`). Its
 * signature was looked at before. Throws `bad_request`.
 */
export function parseSlackRequest(body: string): SlackRequest {
  const form = new URLSearchParams(body);
  const payload = form.get('payload');
  if (payload !== null) return buttonOf(payload);
  const text = form.get('text');
  const user = form.get('user_id') ?? '';
  if (form.get('command') === null || text === null)
    throw unknown('neither a button nor a command');
  return { user: userOf(user), command: parseChatCommand(text) };
}

function buttonOf(text: string): SlackRequest {
  const payload = parse(text);
  if (payload['type'] !== 'block_actions') throw unknown(`an interaction that is no button`);
  const [action] = Array.isArray(payload['actions']) ? (payload['actions'] as unknown[]) : [];
  const user = isRecord(payload['user']) ? payload['user']['id'] : undefined;
  const { action_id: id, value } = isRecord(action) ? action : {};
  const decision = typeof id === 'string' ? id.replace(/^tapline\./, '') : '';
  if (decision !== 'Approved' && decision !== 'Rejected') throw unknown('another button');
  const { name, digest } = parse(typeof value === 'string' ? value : '');
  if (typeof name !== 'string' || typeof digest !== 'string' || !digestPattern.test(digest)) {
    throw unknown('a button without what it is for');
  }
  const responseUrl = payload['response_url'];
  return {
    user: userOf(user),
    command: { kind: 'decide', decision, remediation: name, digest, reason: undefined },
    ...(typeof responseUrl === 'string' && { responseUrl }),
  };
}

function userOf(id: unknown): string {
  if (typeof id === 'string' && idPattern.test(id)) return id;
  throw unknown('a request of nobody');
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(text);
    if (isRecord(found)) return found;
  } catch {
    // It is said below.
  }
  throw unknown('a payload that is no JSON object');
}

function unknown(what: string): TaplineError {
  return new TaplineError('bad_request', `Slack has sent ${what}`);
}
