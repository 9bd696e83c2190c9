/** What one segment calls its nodes and VXLAN devices, in an order that segments of its shape share. */
export interface SegmentNames {
  readonly vni: number;
  readonly nodes: readonly { readonly name: string; readonly tunnels: readonly string[] }[];
}

/** A place of a certificate without the names of its segment. */
export interface PlaceForm {
  readonly group: string;
  readonly node: number;
  /** A VXLAN device of the node by its number; -1 for the group's own ports. */
  readonly tunnel: number;
  readonly mark: string;
}

/** Lines of a certificate, `VNI GROUP NODE DEVICE MARK`, as forms. */
export function placeForms(
  places: readonly string[],
  { nodes }: SegmentNames,
): readonly PlaceForm[] {
  const ordinals = new Map(nodes.map(({ name }, at) => [name, at]));
  return places.map((place) => {
    const [, group = '', name = '', device = '', mark = ''] = place.split(' ');
    const node = ordinals.get(name) ?? -1;
    return { group, node, tunnel: nodes[node]?.tunnels.indexOf(device) ?? -1, mark };
  });
}

/** The same forms with the names of another segment, sorted as lines are. */
export function placesOf(
  forms: readonly PlaceForm[],
  { vni, nodes }: SegmentNames,
): readonly string[] {
  const lines = forms.map(({ group, node, tunnel, mark }) => {
    const names = nodes[node];
    const device = tunnel < 0 ? '*' : names?.tunnels[tunnel];
    return `${vni} ${group} ${names?.name} ${device} ${mark}`;
  });
  return lines.toSorted();
}
