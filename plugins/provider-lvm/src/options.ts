/** The instance's config block; plugin.json has the meaning and the defaults. */
export interface Options extends Record<string, unknown> {
  size: string;
  poolLimit: number;
  revert: "refuse" | "on-activation";
}
