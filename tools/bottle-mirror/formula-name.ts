/** Debian source package → formula, where the two names differ. */
const renamed: Readonly<Record<string, string>> = {
  'cyrus-sasl2': 'cyrus-sasl',
  'db5.3': 'berkeley-db@5',
  'gcc-12': 'gcc',
  'gcc-14': 'gcc',
  gnutls28: 'gnutls',
  libcap2: 'libcap',
  libonig: 'oniguruma',
  libzstd: 'zstd',
  'libtasn1-6': 'libtasn1',
  mpfr4: 'mpfr',
  nghttp2: 'libnghttp2',
  openssl: 'openssl@3',
  sqlite3: 'sqlite',
  'xz-utils': 'xz',
};

/** The name Homebrew gives to what Debian builds from `source`. */
export function formulaName(source: string): string {
  return renamed[source] ?? source;
}
