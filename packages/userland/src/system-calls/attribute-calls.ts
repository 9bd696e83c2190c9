import { errno, LinuxError } from '../errno.ts';
import { int } from './arguments.ts';
import { inodeAt } from './paths.ts';
import type { SystemCall, SystemCalls } from './system-call.ts';

/** Files have no extended attributes here; that is what each of them is told. */
function none(followLast: boolean, answer: 'list' | 'get' | 'set'): SystemCall {
  return (task, [path]) => {
    inodeAt(task, { folder: -100n, path }, { followLast });
    return tell(answer);
  };
}

function noneOfDescriptor(answer: 'list' | 'get' | 'set'): SystemCall {
  return (task, [number]) => {
    task.process.descriptors.get(int(number));
    return tell(answer);
  };
}

function tell(answer: 'list' | 'get' | 'set'): number {
  if (answer === 'list') return 0;
  throw new LinuxError(answer === 'get' ? errno.noData : errno.notSupported);
}

/** System calls on extended attributes, by their names in Linux. */
export const attributeCalls: SystemCalls = {
  listxattr: none(true, 'list'),
  llistxattr: none(false, 'list'),
  flistxattr: noneOfDescriptor('list'),
  getxattr: none(true, 'get'),
  lgetxattr: none(false, 'get'),
  fgetxattr: noneOfDescriptor('get'),
  setxattr: none(true, 'set'),
  lsetxattr: none(false, 'set'),
  fsetxattr: noneOfDescriptor('set'),
  removexattr: none(true, 'get'),
  lremovexattr: none(false, 'get'),
  fremovexattr: noneOfDescriptor('get'),
};
