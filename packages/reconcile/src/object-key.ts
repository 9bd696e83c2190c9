/** `namespace/name`, or the name alone for objects of the cluster. */
export function objectKey(metadata: {
  readonly name: string;
  readonly namespace?: string | undefined;
}): string {
  return metadata.namespace === undefined || metadata.namespace === ''
    ? metadata.name
    : `${metadata.namespace}/${metadata.name}`;
}
