/** CLOCK_MONOTONIC, ms: the same in every process of the machine. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6;
