const cloneNewUser = 0x1000_0000;
const eperm = 1;
const enosys = 38;

/**
 * A seccomp filter that takes away what no packaged tool needs and most ways out of containers
 * began with: new user namespaces, mounts, kernel modules, keys, eBPF, io_uring and the like.
 * Everything else stays allowed, so that it costs a program nothing.
 */
export const deniedSystemCalls: Readonly<Record<string, unknown>> = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [
    {
      names: [
        'add_key',
        'bpf',
        'delete_module',
        'finit_module',
        'fsconfig',
        'fsmount',
        'fsopen',
        'init_module',
        'io_uring_enter',
        'io_uring_register',
        'io_uring_setup',
        'kexec_file_load',
        'kexec_load',
        'keyctl',
        'mount',
        'mount_setattr',
        'move_mount',
        'open_by_handle_at',
        'open_tree',
        'perf_event_open',
        'pivot_root',
        'request_key',
        'setns',
        'umount2',
        'unshare',
        'userfaultfd',
      ],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: eperm,
    },
    {
      names: ['clone'],
      action: 'SCMP_ACT_ERRNO',
      errnoRet: eperm,
      args: [{ index: 0, value: cloneNewUser, valueTwo: cloneNewUser, op: 'SCMP_CMP_MASKED_EQ' }],
    },
    // Its flags are behind a pointer, which a filter cannot read; the C library falls back to clone.
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: enosys },
  ],
};
