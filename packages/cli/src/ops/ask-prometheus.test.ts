import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@tapline/base';
import { expect, test } from 'vitest';
import { askPrometheus, parsePrometheus } from './ask-prometheus.ts';

const queries = [
  {
    expr: 'tapline_channel_hit_ratio{channel="news"}',
    says: ({ value }: { value: number }) => `is ${value}`,
  },
  { expr: 'second', says: () => 'second' },
];

async function ask(answer: (response: ServerResponse) => void) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(response);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const { signal } = new AbortController();
    const url = parsePrometheus(`http://127.0.0.1:${port}/prom`);
    return { ...(await askPrometheus(url, queries, { clock: systemClock, signal })), asked, port };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function vector(...values: readonly string[]): string {
  const result = values.map((value) => ({ metric: { channel: 'news' }, value: [1, value] }));
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
}

test('what it says is told with where it is seen; each query is bounded by its server, too', async () => {
  const { lines, evidence, asked, port } = await ask((response) => response.end(vector('0.5')));
  expect(lines).toEqual(['Prometheus: is 0.5.', 'Prometheus: second.']);
  expect(evidence[0]).toEqual({
    says: 'tapline_channel_hit_ratio{channel="news"}',
    command: `http://127.0.0.1:${port}/prom/graph?g0.expr=tapline_channel_hit_ratio%7Bchannel%3D%22news%22%7D`,
  });
  expect(asked[0]).toMatch(/^\/prom\/api\/v1\/query\?query=.*&timeout=2s&limit=20$/);
});

test('no number and no series say nothing', async () => {
  expect((await ask((response) => response.end(vector('NaN')))).lines).toEqual([]);
  expect((await ask((response) => response.end(vector()))).evidence).toEqual([]);
});

test('of many series twenty are told, and of an answer too long none', async () => {
  const many = vector(...Array.from({ length: 50 }, () => '1'));
  expect((await ask((response) => response.end(many))).lines).toHaveLength(40);
  const long = await ask((response) => response.end('x'.repeat(300_000)));
  expect(long.lines).toEqual(['Prometheus does not answer: the answer exceeds 262144 bytes.']);
});

test.each([
  ['fails', (response: ServerResponse) => void response.writeHead(500).end(), 'it answers 500'],
  ['is none', (response: ServerResponse) => void response.end('{}'), 'it is no Prometheus'],
])('one that %s is said once, and is no failure of the answer', async (_what, answer, says) => {
  const { lines, asked } = await ask(answer);
  expect(lines).toEqual([`Prometheus does not answer: ${says}.`]);
  expect(asked).toHaveLength(1);
});

test.each(['prometheus:9090', 'file:///etc/passwd', 'http://a:b@host', 'http://host/?x=1', ''])(
  '%j is no address',
  (text) => {
    expect(() => parsePrometheus(text)).toThrow('is no address of a Prometheus');
  },
);
