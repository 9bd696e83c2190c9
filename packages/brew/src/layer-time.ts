/** The time of every file in a layer, in seconds: 1980-01-01, as ZIP files know nothing earlier. */
export const layerTime = 315_532_800;
