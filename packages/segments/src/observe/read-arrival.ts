import { isRecord } from '@tapline/base';
import type { ArrivalMark } from '../state/node-state.ts';
import { type JsonRecord, optionalNumber, optionalRecord, optionalText } from './json-records.ts';

const source = 'tc -j -batch';
const optionKeys = new Set(['handle', 'keys', 'not_in_hw', 'actions']);
const matchKeys = new Set(['num_of_vlans', 'enc_key_id', 'vxlan_opt_key', 'vxlan_opt_mask']);
const actionKeys = new Set(['order', 'kind', 'mark', 'control_action', 'index', 'ref', 'bind']);
/** Of VXLAN's group policy id. */
const allBits = 0xffff;

/**
 * Undefined for every filter that does anything else, or asks for more or less, than to mark frames of
 * a VNI and group that bring no tag.
 */
export function readArrival(
  record: JsonRecord,
  { dev, preference }: Pick<ArrivalMark, 'dev' | 'preference'>,
): ArrivalMark | undefined {
  const options = optionalRecord(record, 'options', source) ?? {};
  const keys = optionalRecord(options, 'keys', source) ?? {};
  const actions: unknown = options['actions'];
  const [action, ...others] = Array.isArray(actions) ? (actions as readonly unknown[]) : [];
  if (optionalText(record, 'kind', source) !== 'flower' || !isRecord(action)) return undefined;
  const known =
    optionalText(record, 'protocol', source) === 'all' &&
    (optionalNumber(record, 'chain', source) ?? 0) === 0 &&
    hasOnly(options, optionKeys) &&
    hasOnly(keys, matchKeys) &&
    hasOnly(action, actionKeys) &&
    others.length === 0 &&
    keys['num_of_vlans'] === 0 &&
    groupOf(keys['vxlan_opt_mask']) === allBits &&
    action['kind'] === 'skbedit' &&
    isRecord(action['control_action']) &&
    action['control_action']['type'] === 'pipe';
  const handle = optionalNumber(options, 'handle', source);
  const vni = optionalNumber(keys, 'enc_key_id', source);
  const group = groupOf(keys['vxlan_opt_key']);
  const { mark } = action;
  if (!known || handle === undefined || vni === undefined) return undefined;
  if (group === undefined || typeof mark !== 'number') return undefined;
  return { dev, preference, handle, vni, group, mark };
}

function hasOnly(record: JsonRecord, keys: ReadonlySet<string>): boolean {
  return Object.keys(record).every((key) => keys.has(key));
}

function groupOf(list: unknown): number | undefined {
  const [only, ...others] = Array.isArray(list) ? (list as readonly unknown[]) : [];
  if (!isRecord(only) || others.length > 0) return undefined;
  const { gbp } = only;
  return typeof gbp === 'number' ? gbp : undefined;
}
