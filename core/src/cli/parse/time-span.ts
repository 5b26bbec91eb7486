import { UsageError } from "./usage-error.js";

const units = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000, y: 365 * 86_400_000 } as const;

/** A span of time as people write it, `36h` or `2w3d`, in ms. @throws UsageError */
export function spanOf(text: string, option: string): number {
  const parts = [...text.matchAll(/(\d+)([hdwy])/g)];
  if (parts.map(([part]) => part).join("") !== text || text === "")
    throw new UsageError(
      `${option}: \`${text}\` is not a span of time.`,
      "Write hours, days, weeks, or years: 36h, 14d, 2w3d, 1y.",
    );
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * units[unit as keyof typeof units], 0);
}

/** A date as people write it, or a span from now. @throws UsageError */
export function dateOf(text: string, option: string): Date {
  const now = new Date();
  if (text === "now") return now;
  if (/^[\dhdwy]+$/.test(text)) return new Date(now.getTime() + spanOf(text, option));
  const date = /^\d{4}-\d\d-\d\d/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (!Number.isNaN(date.getTime())) return date;
  throw new UsageError(`${option}: \`${text}\` is not a date.`, "Write 2027-01-31, 2027-01-31T04:00:00Z, 30d, or now.");
}
