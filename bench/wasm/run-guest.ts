import { createSecureRng, systemClock } from '@tapline/base';
import { directoryLayer } from '@tapline/runtimes';
import { runProgram } from '@tapline/userland';

// A program of a folder in a process of its own: node run-guest.ts FOLDER NAME ARGUMENT…
const [folder = '/', name = '', ...words] = process.argv.slice(2);
const { exitCode } = await runProgram({
  files: directoryLayer(folder),
  path: `/usr/bin/${name}`,
  argv: [name, ...words],
  env: ['PATH=/usr/bin:/bin', 'LC_ALL=C.UTF-8'],
  folder: '/',
  stdout: (bytes) =>
    new Promise((resolve, reject) => {
      process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
    }),
  stderr: (bytes) => void process.stderr.write(bytes),
  clock: systemClock,
  rng: createSecureRng(),
  memoryLimit: 1024 * 1024 * 1024,
  hotAfter: 8000,
  fuel: Infinity,
});
process.exitCode = exitCode;
