/** Flags of a netlink message (linux/netlink.h). */
export const netlinkFlag = {
  request: 0x1,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
} as const;
