/** The config block, as the manifest describes it. */
export interface Options extends Record<string, unknown> {
  store?: string;
  size: string;
  persistent: boolean;
}
