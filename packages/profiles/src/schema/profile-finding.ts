/** What a payload holds against Apple's schema. An error is refused by the device. */
export interface ProfileFinding {
  readonly severity: 'error' | 'warning';
  readonly code:
    | 'payload-unknown'
    | 'payload-unsupported'
    | 'key-unknown'
    | 'key-missing'
    | 'key-unsupported'
    | 'type-wrong'
    | 'value-not-allowed'
    | 'out-of-range'
    | 'form-wrong'
    | 'count-wrong'
    | 'rule-broken';
  /** Such as com.apple.vpn.managed.IKEv2.MTU. */
  readonly path: string;
  readonly message: string;
}
