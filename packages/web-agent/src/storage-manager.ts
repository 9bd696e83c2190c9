/** The browser's storage manager; WebKitGTK has none. */
export function storageManager(): StorageManager | undefined {
  return (navigator as { readonly storage?: StorageManager }).storage;
}
