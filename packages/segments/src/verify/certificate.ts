/**
 * The closed set: all places where a frame that a port of a segment sends can ever be. It is closed
 * under what the observed nodes do with frames, and no place in it leads where policy does not let
 * it, so that no frame goes where it must not. Whatever is not listed is not reachable.
 */
export interface Certificate {
  readonly version: 1;
  /**
   * `VNI GROUP NODE DEVICE MARK`, sorted: a frame from a port of that segment and group is in a
   * bridge of the node and bears the mark, having come in by that device; `*` is the port itself. Where
   * the bridge has VLANs, the device is followed by `/` and that which the frame is in.
   */
  readonly places: readonly string[];
}
