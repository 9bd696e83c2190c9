/** Compression of a layer as it travels. */
export type LayerCompression = 'none' | 'gzip' | 'zstd';
