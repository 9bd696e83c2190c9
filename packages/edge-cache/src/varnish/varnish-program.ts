import { spawn, type ChildProcess } from 'node:child_process';
import { TaplineError } from '@tapline/base';

/** The programs of one installation: Varnish, or Vinyl since 9.0. */
export interface VarnishPrograms {
  readonly daemon: string;
  readonly admin: string;
  readonly stat: string;
}

export const varnishPrograms: VarnishPrograms = {
  daemon: 'varnishd',
  admin: 'varnishadm',
  stat: 'varnishstat',
};

export const vinylPrograms: VarnishPrograms = {
  daemon: 'vinyld',
  admin: 'vinyladm',
  stat: 'vinylstat',
};

const maxOutput = 256 * 1024;
/** Debian keeps administrators' programs where users' PATHs do not look. */
const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

/** Starts a program that runs on. */
export function startProgram(program: string, words: readonly string[]): ChildProcess {
  return spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: path },
  });
}

/** Runs a program to its end and answers what it wrote. Throws `varnish_failed` with what it said. */
export function runProgram(program: string, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = startProgram(program, words);
    let [output, errors] = ['', ''];
    child.stdout
      ?.setEncoding('utf8')
      .on('data', (text: string) => (output = (output + text).slice(-maxOutput)));
    child.stderr
      ?.setEncoding('utf8')
      .on('data', (text: string) => (errors = (errors + text).slice(-maxOutput)));
    child.once('error', (cause) =>
      reject(
        new TaplineError('varnish_failed', `${program} cannot be run`, {
          cause,
          hint: 'install Varnish 7 or name its programs',
        }),
      ),
    );
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else {
        reject(
          new TaplineError(
            'varnish_failed',
            `${program} ${words.at(-1)?.slice(0, 100) ?? ''} ended with ${code}: ${(errors + output).trim().slice(0, 2000)}`,
          ),
        );
      }
    });
  });
}
