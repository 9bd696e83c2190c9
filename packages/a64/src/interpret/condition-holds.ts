/** Whether one of the 16 conditions holds for N, Z, C, V as bits 3 to 0 (Arm ARM, `ConditionHolds`). */
export function conditionHolds(condition: number, nzcv: number): boolean {
  const n = (nzcv & 8) !== 0;
  const z = (nzcv & 4) !== 0;
  const c = (nzcv & 2) !== 0;
  const v = (nzcv & 1) !== 0;
  const results = [z, c, n, v, c && !z, n === v, n === v && !z, true];
  const result = results[condition >> 1] === true;
  // The odd ones are the opposites, but for NV, which is always, too.
  return (condition & 1) === 1 && condition !== 15 ? !result : result;
}
