/** Why a head is refused; the connection is closed after the answer. */
export interface RefusedHead {
  readonly kind: 'refused';
  readonly status: 400 | 501 | 505;
  readonly reason: string;
}

export function refusedHead(status: RefusedHead['status'], reason: string): RefusedHead {
  return { kind: 'refused', status, reason };
}
