/** Who the main command runs as: the number that distroless images use for the same purpose. */
export const imageUser = {
  uid: 65_532,
  gid: 65_532,
  name: 'nonroot',
  home: '/home/nonroot',
} as const;
