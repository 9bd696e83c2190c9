/** What a check found. Codes are stable: programs may depend on them. */
export interface Finding {
  readonly code: FindingCode;
  readonly level: 'ok' | 'note' | 'warning' | 'error';
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

export type FindingCode =
  | 'name_is_address'
  | 'name_resolved'
  | 'name_unresolved'
  | 'reached'
  | 'unreachable'
  | 'not_tls'
  | 'server_certificate_ok'
  | 'server_certificate_unchecked'
  | 'server_certificate_untrusted'
  | 'server_certificate_expired'
  | 'server_certificate_not_yet_valid'
  | 'server_certificate_other_name'
  | 'clock_ok'
  | 'clock_skew'
  | 'clock_skew_large'
  | 'path_mtu_ok'
  | 'path_mtu_small'
  | 'path_mtu_black_hole'
  | 'path_mtu_unknown'
  | 'tunnel_none'
  | 'tunnel_datagrams'
  | 'tunnel_tcp_in_tcp'
  | 'tunnel_transport_unknown'
  | 'device_certificate_ok'
  | 'device_certificate_late'
  | 'device_certificate_expired'
  | 'device_not_joined';
