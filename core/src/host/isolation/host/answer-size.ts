/** The limit of a result: characters of its texts and names, and 8 for each value. */
export const ANSWER_LIMIT = 4 * 1024 * 1024;

/** Whether a value exceeds the limit. What is in it twice counts twice, as in its JSON. */
export function exceeds(value: unknown, limit = ANSWER_LIMIT): boolean {
  let left = limit;
  const take = (one: unknown, parents: readonly object[]): void => {
    left -= typeof one === "string" ? one.length + 8 : 8;
    if (left < 0 || typeof one !== "object" || one === null || parents.includes(one)) return;
    if (ArrayBuffer.isView(one)) left -= one.byteLength;
    else
      for (const name in one) {
        if (left < 0) return;
        left -= name.length;
        take((one as Record<string, unknown>)[name], [...parents, one]);
      }
  };
  take(value, []);
  return left < 0;
}
