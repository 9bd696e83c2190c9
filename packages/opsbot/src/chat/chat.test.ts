import { createHmac } from 'node:crypto';
import { isTaplineError } from '@tapline/base';
import type { Remediation } from '@tapline/resources';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { approvalText } from './approval-text.ts';
import { parseChatCommand } from './parse-chat-command.ts';
import { parseSlackRequest } from './parse-slack-request.ts';
import { slackMessage } from './slack-message.ts';
import { isSlackSignature } from './slack-signature.ts';

const digest = '9a6d31f0c2b7'.padEnd(64, '0');
const remediation = {
  metadata: { name: 'full-disk.4f1c0a9b2d' },
  spec: {
    playbook: 'full-disk',
    target: { kind: 'Node', name: 'edge-1' },
    reason: '1 % is free <!channel>',
  },
  status: {
    phase: 'AwaitingApproval',
    digest,
    plan: [{ action: 'drain-node', text: 'drain node edge-1' }],
    evidence: [{ source: 'icinga', key: 'k', says: 'disk is full', since: '2026-01-01T00:00:00Z' }],
  },
} as unknown as Remediation;

describe('the signature', () => {
  // The example of Slack's documentation.
  const secret = '8f742231b10e8888abcd99yyyzzz85a5';
  const timestamp = '1531420618';
  const body = Buffer.from(
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
  );
  const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
  const given = { secret, timestamp, signature, body, nowMs: 1_531_420_620_000 };

  test('of Slack’s own example is right', () => {
    expect(isSlackSignature(given)).toBe(true);
  });

  test.each([
    ['another body', { body: Buffer.from('text=x') }],
    ['another secret', { secret: 'x' }],
    ['another time', { timestamp: '1531420619' }],
    ['none', { signature: undefined }],
    ['no time', { timestamp: undefined }],
    ['five minutes later', { nowMs: 1_531_420_618_000 + 301_000 }],
    ['five minutes before', { nowMs: 1_531_420_618_000 - 301_000 }],
  ])('of %s is refused', (_, change) => {
    expect(isSlackSignature({ ...given, ...change })).toBe(false);
  });

  test('of any byte more or less is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(59), (bytes, at) => {
        const hmac = createHmac('sha256', 's').update('v0:1:').update(bytes).digest('hex');
        const good = { secret: 's', timestamp: '1', signature: `v0=${hmac}`, nowMs: 0 };
        expect(isSlackSignature({ ...good, body: bytes })).toBe(true);
        const other = Uint8Array.from([...bytes.slice(0, at), 7, ...bytes.slice(at)]);
        expect(isSlackSignature({ ...good, body: other })).toBe(false);
      }),
      { seed: 3, numRuns: 50 },
    );
  });
});

/** What Slack sends for a click, as its documentation has it. */
function click(value: unknown, change: object = {}): string {
  const payload = {
    type: 'block_actions',
    user: { id: 'U2CERLKJA', username: 'roadrunner' },
    response_url: 'https://hooks.slack.com/actions/T1/1/x',
    actions: [{ type: 'button', action_id: 'tapline.Approved', value: JSON.stringify(value) }],
    ...change,
  };
  return new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
}

function outcomeOf(body: string): string {
  try {
    return parseSlackRequest(body).command.kind;
  } catch (error) {
    return isTaplineError(error) ? error.code : 'thrown';
  }
}

describe('a click', () => {
  test('is for what the button of the message says', () => {
    const { blocks } = slackMessage(remediation);
    const { elements } = blocks[1] as { elements: { value: string; action_id: string }[] };
    expect(elements.map(({ action_id: id }) => id)).toEqual([
      'tapline.Approved',
      'tapline.Rejected',
    ]);
    expect(parseSlackRequest(click(JSON.parse(elements[0]?.value ?? '')))).toEqual({
      user: 'U2CERLKJA',
      responseUrl: 'https://hooks.slack.com/actions/T1/1/x',
      command: {
        kind: 'decide',
        decision: 'Approved',
        remediation: 'full-disk.4f1c0a9b2d',
        digest,
        reason: undefined,
      },
    });
  });

  test.each([
    ['of no button', click({}, { type: 'view_submission' })],
    ['of another app', click({}, { actions: [{ action_id: 'other', value: '{}' }] })],
    ['without a digest', click({ name: 'x', digest: 'abc' })],
    ['of nobody', click({ name: 'x', digest }, { user: {} })],
    ['that is no JSON', 'payload=%7B'],
    ['that is nothing', ''],
  ])('%s is refused', (_, body) => {
    expect(() => parseSlackRequest(body)).toThrow(/^Slack has sent /);
  });

  test('whatever is sent, it is refused or a command', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json().map((text) => `payload=${text}`),
        ),
        (body) => {
          expect(['decide', 'ask', 'bad_request']).toContain(outcomeOf(body));
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });
});

describe('a command', () => {
  test('is a decision about a digest, or a question', () => {
    expect(parseChatCommand('approve full-disk.4f1c 9a6d31f0c2b7 looked at it')).toEqual({
      kind: 'decide',
      decision: 'Approved',
      remediation: 'full-disk.4f1c',
      digest: '9a6d31f0c2b7',
      reason: 'looked at it',
    });
    expect(parseChatCommand(' ask what is wrong with news? ')).toEqual({
      kind: 'ask',
      question: 'what is wrong with news?',
    });
  });

  test.each(['approve', 'approve x', 'approve x 9a6d', 'Approve full-disk.4f1c', 'reject x y'])(
    '%s is no decision and no question',
    (text) => {
      expect(() => parseChatCommand(text)).toThrow(/takes the name of a remediation/);
    },
  );
});

test('a message says what would be done, and calls nobody', () => {
  expect(approvalText(remediation)).toContain('1. drain node edge-1');
  expect(JSON.stringify(slackMessage(remediation))).not.toContain('mrkdwn');
});
