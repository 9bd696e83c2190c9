import { buildVersion, type Clock, errorMessage, isTaplineError } from '@tapline/base';
import type { KubeconfigContext, ResourceClient } from '@tapline/client';
import { McpServer } from '@modelcontextprotocol/server';
import { planRun, readFleet, storePlan } from '@tapline/opsbot';
import { incidentResource, playbookResource, remediationResource } from '@tapline/resources';
import { z } from 'zod';
import { answerAsked } from '../ops/answer-asked.ts';
import { parseTarget } from '../ops/parse-target.ts';
import { requestRemediation } from '../ops/request-remediation.ts';

const name = z.string().min(1).max(253);
const target = z.string().min(3).max(320).describe('KIND/NAME, such as node/edge-1');
const playbook = name.describe('a playbook, see list_playbooks');
const limit = z.int().min(1).max(100).default(20);
const maxText = 50_000;

/**
 * The tools of an assistant: to look, to plan, and to ask for something. None approves, and none acts:
 * what is asked for waits for a person. Tools that ask for what takes something away are of their own.
 */
export function createOpsServer(init: {
  readonly client: ResourceClient;
  readonly context: KubeconfigContext;
  /** Whose metrics are part of answers. */
  readonly prometheus: URL | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): McpServer {
  const { client, signal } = init;
  const server = new McpServer({ name: 'tapline', version: buildVersion });
  const reads = { readOnlyHint: true, openWorldHint: false };

  server.registerTool(
    'ask',
    {
      description:
        'Answers a question about what is wrong, what was done and what would be, with evidence.',
      inputSchema: z.object({ question: z.string().min(1).max(500) }),
      annotations: reads,
    },
    async ({ question }) => await told(async () => await answerAsked(question, init)),
  );
  server.registerTool(
    'list_incidents',
    {
      description: 'Faults that stand, grouped by their probable cause.',
      inputSchema: z.object({ all: z.boolean().default(false), limit }),
      annotations: reads,
    },
    async ({ all, limit: most }) =>
      await told(async () => {
        const { items } = await client.list(incidentResource, { signal });
        return items
          .filter(({ status }) => all || status?.phase !== 'Resolved')
          .slice(0, most)
          .map(({ metadata, spec, status }) => ({ name: metadata.name, ...spec, ...status }));
      }),
  );
  server.registerTool(
    'list_playbooks',
    {
      description: 'What can be done about which faults, and who decides.',
      inputSchema: z.object({ limit }),
      annotations: reads,
    },
    async ({ limit: most }) =>
      await told(async () => {
        const { items } = await client.list(playbookResource, { signal, limit: most });
        return items.map(({ metadata, spec }) => ({ name: metadata.name, ...spec }));
      }),
  );
  server.registerTool(
    'show_remediation',
    {
      description: 'What was seen, decided, why that was allowed, done and checked.',
      inputSchema: z.object({ name }),
      annotations: reads,
    },
    async (asked) =>
      await told(async () => {
        const { metadata, spec, status } = await client.get(remediationResource, asked.name, {
          signal,
        });
        return { name: metadata.name, ...spec, ...status };
      }),
  );
  server.registerTool(
    'plan',
    {
      description: 'Each step that a playbook would do with an object now. Nothing is done.',
      inputSchema: z.object({ playbook, target }),
      annotations: reads,
    },
    async (asked) => await told(async () => await planOf(asked)),
  );
  server.registerTool(
    'request_check',
    {
      description:
        'Asks for a run of a playbook that takes nothing away: it only looks, tells, or gives back. A person has to approve it.',
      inputSchema: z.object({ playbook, target, reason: z.string().min(1).max(1024) }),
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
    },
    async (asked) => await told(async () => await request(asked, 'gentle')),
  );
  server.registerTool(
    'request_destructive',
    {
      description:
        'Asks for a run of a playbook that drains, restarts, moves, rolls back or deletes. A person has to approve it.',
      inputSchema: z.object({ playbook, target, reason: z.string().min(1).max(1024) }),
      annotations: { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
    },
    async (asked) => await told(async () => await request(asked, 'destructive')),
  );

  async function planOf(asked: { readonly playbook: string; readonly target: string }) {
    const found = await client.get(playbookResource, asked.playbook, { signal });
    const plan = planRun(found, parseTarget(asked.target), await readFleet(client, signal));
    return storePlan(plan);
  }

  async function request(
    asked: { readonly playbook: string; readonly target: string; readonly reason: string },
    kind: 'gentle' | 'destructive',
  ) {
    const found = await client.get(playbookResource, asked.playbook, { signal });
    const isGentle = found.spec.steps.every(({ action }) => gentle.has(action));
    if (isGentle !== (kind === 'gentle')) {
      const tool = isGentle ? 'request_check' : 'request_destructive';
      return {
        code: 'wrong_tool',
        message: `playbook ${asked.playbook} is asked for with ${tool}`,
      };
    }
    const { reason } = asked;
    const wanted = { playbook: asked.playbook, target: parseTarget(asked.target), reason, signal };
    const { metadata } = await requestRemediation(init, wanted);
    return {
      remediation: metadata.name,
      next: `a person looks with tapline ops show ${metadata.name}`,
    };
  }
  return server;
}

const gentle = new Set(['notify', 'run-check', 'wait-for-approval', 'uncordon-node']);

type ToolAnswer = {
  content: { type: 'text'; text: string }[];
  isError?: boolean;
};

/** The answer as JSON of bounded size, or the error with its stable code. */
async function told(ask: () => Promise<unknown>): Promise<ToolAnswer> {
  try {
    const text = JSON.stringify(await ask());
    const isCut = text.length > maxText;
    const shown = isCut ? `${text.slice(0, maxText)}… (${text.length} characters in all)` : text;
    return { content: [{ type: 'text', text: shown }] };
  } catch (error) {
    const code = isTaplineError(error) ? error.code : 'internal';
    const text = JSON.stringify({ code, message: errorMessage(error) });
    return { content: [{ type: 'text', text }], isError: true };
  }
}
