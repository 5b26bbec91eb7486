const units: Record<string, number> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** A size as options give it, bytes: `10G` (K, M, G, T: powers of 1024), or `20%ORIGIN`, a share of the origin. */
export function parseSize(size: string, originBytes: number): number {
  const [, percent] = /^(\d+)%ORIGIN$/.exec(size) ?? [];
  if (percent !== undefined) return (originBytes * Number(percent)) / 100;
  const [, count, unit = ""] = /^(\d+)([KMGT])$/.exec(size) ?? [];
  return Number(count) * (units[unit] ?? 1);
}

/** As in `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), names.length - 1);
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${names[power]}`;
}
