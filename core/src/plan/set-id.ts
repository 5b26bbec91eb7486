import { randomInt } from "node:crypto";

/** Whether holdstill may have given that id: `setId` of the record's schema. */
export const isSetId = (id: string): boolean => /^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$/.test(id);

let last = { second: "", rest: 0 };

/**
 * Sorts by time: the second, then 24 bits of which 12 are the fraction of the second and 12 are chance, for another process that
 * starts in the same millisecond. Ids of one process always ascend, unless the clock is set.
 */
export function newSetId(): string {
  const now = new Date();
  const [date, time] = now.toISOString().replaceAll(/[-:]/g, "").split(/[T.]/);
  const second = `${date}-${time}`;
  const fraction = Math.floor((now.getUTCMilliseconds() / 1000) * 4096);
  const rest = fraction * 4096 + randomInt(4096);
  last = { second, rest: last.second === second && rest <= last.rest ? last.rest + 1 : rest };
  return `${second}-${last.rest.toString(16).padStart(6, "0")}`;
}
