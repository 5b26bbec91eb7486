import { randomBytes } from "node:crypto";

/** Sorts by time; unique enough for two that start in the same second: 24 random bits. */
export function newSetId(): string {
  const [date, time] = new Date().toISOString().replaceAll(/[-:]/g, "").split(/[T.]/);
  return `${date}-${time}-${randomBytes(3).toString("hex")}`;
}
