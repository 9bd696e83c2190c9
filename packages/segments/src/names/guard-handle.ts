/** By which a filter among those of others is known as ours, as `tc -j` prints it. */
export const guardHandle = '0x7461';
