import type { Component } from "holdstill/plugin";

/** The instance's config block, as plugin.json describes it: either `unit` or `cgroup` is there. */
export interface Options extends Required<Pick<Component, "kind" | "paths" | "tolerates" | "level">> {
  unit?: string;
  cgroup?: string;
  exclude?: string[];
  component: string;
}
