import { expect, test } from 'vitest';
import type { ContainerSpec } from '../container-spec.ts';
import { appleContainer, colima, podmanMachine } from './dialects.ts';
import { environmentFile, execWords, runWords } from './machine-words.ts';

// As the programs answer by their documentation and sources; no Mac has been asked by these tests.
const appleBefore1 = `[{"status":"running","networks":[{"network":"default","hostname":"web.test.","address":"192.168.64.3/24","gateway":"192.168.64.1"}],"configuration":{"id":"web","hostname":"web","image":{"reference":"docker.io/library/nginx:latest"},"platform":{"os":"linux","architecture":"arm64"}}},{"status":"stopped","networks":[],"configuration":{"id":"old"}}]`;
const appleSince1 = `[{"id":"web","configuration":{"id":"web","image":{"reference":"docker.io/library/nginx:latest"}},"status":{"state":"running","networks":[{"network":"default","ipv4Address":"192.168.64.3/24","ipv4Gateway":"192.168.64.1","macAddress":"02:42:ac:11:00:02","mtu":1280}],"startedDate":"2026-05-04T10:00:00Z"}},{"id":"old","configuration":{"id":"old"},"status":{"state":"stopped","networks":[]}}]`;
const podman = `[{"Command":["sh"],"Id":"4d1f","Names":["web"],"State":"running","ExitCode":0,"Labels":null},{"Id":"77aa","Names":["old"],"State":"exited","ExitCode":3}]`;
const docker = `{"ID":"4d1f","Names":"web","State":"running","Status":"Up 2 minutes"}\n{"ID":"77aa","Names":"old","State":"exited","Status":"Exited (3)"}\n`;

test.each([
  ['container before 1.0', appleContainer, appleBefore1],
  ['container since 1.0', appleContainer, appleSince1],
  ['podman', podmanMachine, podman],
  ['docker of colima', colima, docker],
])('%s lists what runs and what has ended', (_name, { parseList }, output) => {
  expect(parseList(output)).toEqual([
    { name: 'web', running: true },
    { name: 'old', running: false },
  ]);
  expect(parseList('')).toEqual([]);
});

test.each([
  [appleContainer, '{}', 'is no list'],
  [appleContainer, '[{"status":"running"}]', 'has a container without an id'],
  [appleContainer, '[{"id":"a","status":{}}]', 'has no state of container a'],
  [podmanMachine, '[{"Names":["a"]}]', 'has a container without a state'],
] as const)('an answer of another form is an error: %#', ({ parseList }, output, why) => {
  expect(() => parseList(output)).toThrow(why);
});

test.each([
  [appleContainer, 'apiserver is running\n', 'apiserver is not running and not registered\n'],
  [appleContainer, '{"status":"running","appRoot":"/a"}', '{"status":"unregistered"}'],
  [colima, '{"name":"default","status":"Running","arch":"aarch64"}\n', '{"status":"Stopped"}\n'],
  [podmanMachine, '[{"Name":"default","Running":true}]', '[{"Name":"default","Running":false}]'],
])('whether a machine runs is read: %#', ({ machine }, up, down) => {
  expect(machine.isUp(up)).toBe(true);
  expect(machine.isUp(down)).toBe(false);
});

const spec: ContainerSpec = {
  id: 'web',
  rootfs: '/r',
  command: ['serve', '--port', '80'],
  env: { PATH: '/bin', SECRET: "it's" },
  workingDirectory: '/srv',
  user: { uid: 1000, gid: 1001 },
  hostname: 'device',
  limits: { memoryBytes: 64 * 1024 * 1024 + 1, pids: 20, cpus: 0.5 },
  tmpfs: [{ path: '/tmp', sizeBytes: 1024 }],
  binds: [{ source: '/data', path: '/srv/data', readOnly: true }],
  network: 'none',
  labels: { role: 'edge' },
};
const about = {
  name: 'tapline-1-web',
  image: 'localhost/tapline:1',
  environment: '/b/environment',
  mode: 'background',
  idFile: '/b/id',
} as const;
const shared =
  'run --name tapline-1-web --cidfile /b/id --env-file /b/environment --workdir /srv --user 1000:1001 --memory 65M --mount type=bind,source=/data,target=/srv/data,readonly --label role=edge';
const engine =
  '--read-only --hostname device --cap-drop=ALL --security-opt=no-new-privileges --sig-proxy=false --network=none --ulimit=nofile=1024 --cpus=0.5 --pids-limit=20 --tmpfs /tmp:mode=1777,size=1024';

test.each([
  [appleContainer, '--progress none --read-only --network tapline-none --cpus 1 --tmpfs /tmp'],
  [colima, engine],
  [podmanMachine, engine],
])('a container is a command line: %#', (dialect, flags) => {
  const words = runWords(dialect, spec, about);
  expect(words.join(' ')).toBe(`${shared} ${flags} localhost/tapline:1 serve --port 80`);
});

test('what is secret is in a file, and what a command line cannot do is refused', () => {
  expect(environmentFile(spec)).toBe("PATH=/bin\nSECRET=it's\n");
  expect(execWords(spec, { name: 'n', environment: '/e' }).slice(0, 4)).toEqual([
    'exec',
    '--interactive',
    '--env-file',
    '/e',
  ]);
  expect(() => environmentFile({ ...spec, env: { KEY: 'a\nb' } })).toThrow('more than one line');
  const joined = { ...spec, network: { namespace: '/run/netns/a' } };
  expect(() => runWords(podmanMachine, joined, about)).toThrow('cannot join');
});
