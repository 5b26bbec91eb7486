/** The instance's block of the config; plugin.json has what each option means. */
export interface Options {
  conf: string;
  user: string;
  keyring?: string;
  groups: "auto" | "always" | "never";
  answerSeconds: number;
  fuse?: string;
}
