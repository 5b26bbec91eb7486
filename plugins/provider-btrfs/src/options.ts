export interface Options {
  readonly nested: "capture" | "leave-out";
}
