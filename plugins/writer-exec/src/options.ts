import type { Component } from "holdstill/plugin";

/** The instance's config block, as plugin.json describes it: exactly one of `freeze`, `qemu`, `vmware` and `azure` is there. */
export interface Options extends Required<Pick<Component, "kind" | "paths" | "tolerates" | "level">> {
  freeze?: ProgramCall;
  thaw?: ProgramCall;
  qemu?: string;
  vmware?: string;
  azure?: string;
  check?: ProgramCall;
  exclude?: string[];
  component: string;
}

/** Absolute path and arguments. */
export type ProgramCall = [program: string, ...args: string[]];
