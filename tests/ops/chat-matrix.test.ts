import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '@tapline/base';
import {
  deviceResource,
  nodeResource,
  type Remediation,
  remediationResource,
} from '@tapline/resources';
import { eventually, haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { startControlPlaneProcess } from '../support/control-plane-process.ts';
import { runTapline } from '../support/run-tapline.ts';
import { startDendrite } from '../support/start-dendrite.ts';

// By command: Go builds the homeserver, once.
const needs = [
  ...(process.env['TAPLINE_TEST_DENDRITE'] === undefined ? ['TAPLINE_TEST_DENDRITE=1'] : []),
  ...(haveProgram('go') ? [] : ['go']),
];
const unavailable = needs.length === 0 ? undefined : `(needs ${needs.join(', ')})`;
const within = { withinMs: 60_000 };

describe.skipIf(unavailable !== undefined)(
  `a room of a real homeserver ${unavailable ?? ''}`,
  () => {
    test(
      'is told what waits, and a person in it approves it; another one in it cannot',
      { timeout: 600_000 },
      async () => {
        await using folder = await temporaryFolder();
        await using matrix = await startDendrite();
        const bot = await matrix.register('tapline');
        const people = { dana: await matrix.register('dana'), eve: await matrix.register('eve') };
        const invite = ['@dana:localhost', '@eve:localhost'];
        const made = await matrix.send(bot, {
          method: 'POST',
          path: 'createRoom',
          body: { invite },
        });
        const room = String(made['room_id']);
        for (const token of Object.values(people)) {
          await matrix.send(token, { method: 'POST', path: `join/${encodeURIComponent(room)}` });
        }
        const at = (name: string): string => join(folder.path, name);
        await writeFile(at('token'), bot);
        await writeFile(
          at('monitoring.yaml'),
          `chat:
  matrix:
    homeserver: ${matrix.url}
    token: { file: token }
    room: '${room}'
    people: { '@dana:localhost': { user: dana } }
`,
        );
        await using plane = await startControlPlaneProcess(folder.path, {
          TAPLINE_OPSBOT: 'on',
          TAPLINE_MONITORING_CONFIG: at('monitoring.yaml'),
        });
        await plane.client.create(deviceResource, {
          metadata: { name: 'edge-1' },
          spec: { platform: 'linux/amd64', role: 'node' },
        });
        await eventually('it has a Node', () => plane.client.get(nodeResource, 'edge-1'));
        const env = { TAPLINE_KUBECONFIG: plane.kubeconfig };
        const words = [
          'ops',
          'request',
          'full-disk',
          'node/edge-1',
          '--reason',
          'odd',
          '-o',
          'json',
        ];
        const asked = JSON.parse((await runTapline(words, { env })).out) as Remediation;
        const { name } = asked.metadata;

        const hears = (text: string): Promise<string> =>
          eventually(
            `the room hears: ${text}`,
            async () => {
              const path = `rooms/${encodeURIComponent(room)}/messages?dir=b&limit=50`;
              const { chunk } = await matrix.send(people.eve, { method: 'GET', path });
              const said = Array.isArray(chunk) ? (chunk as unknown[]) : [];
              return said
                .flatMap((event) => (isRecord(event) ? [event['content']] : []))
                .flatMap((content) => (isRecord(content) ? [String(content['body'])] : []))
                .find((body) => body.includes(text));
            },
            within,
          );
        let sent = 0;
        const says = async (token: string, body: string): Promise<void> => {
          sent += 1;
          const path = `rooms/${encodeURIComponent(room)}/send/m.room.message/t${sent}`;
          await matrix.send(token, { method: 'PUT', path, body: { msgtype: 'm.text', body } });
        };
        const told = await hears('1. drain node edge-1');
        const [, how = ''] = /^say: (.*)$/m.exec(told) ?? [];
        expect(how).toMatch(new RegExp(`^!tapline approve ${name} [0-9a-f]{12}$`));
        await says(people.eve, how);
        await hears('matrix:@eve:localhost is nobody here');
        await says(people.dana, how);
        await hears(`${name} is approved by dana`);
        await eventually(
          'it is done',
          async () => {
            const { status } = await plane.client.get(remediationResource, name);
            return status?.phase === 'Succeeded';
          },
          within,
        );
        await says(people.dana, '!tapline what is waiting?');
        await hears('Nothing waits for an approval.');
      },
    );
  },
);
