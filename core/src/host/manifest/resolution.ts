import type { InstanceSettings } from "../../base/config/settings.js";
import type { Candidate, Who } from "../../base/errors/details.js";
import type { PluginManifest } from "../../base/schema/types.js";

/** A plugin instance, ready to be started. */
export interface ResolvedPlugin {
  who: Who;
  manifest: PluginManifest;
  /** Real path of the plugin's folder. */
  dir: string;
  /** bundled: it comes with holdstill, as a part of the same package, and needs no pin. */
  origin: "bundled" | "installed";
  /** Absolute path of the module or program. */
  entry: string;
  runtime: NonNullable<PluginManifest["runtime"]>;
  policy: "required" | "best-effort";
  /** Checked, with the plugin's defaults filled in. Secrets are as in the config: `reveal` reads what they refer to. */
  options: Record<string, unknown>;
  /** JSON pointers to the secrets in the options. */
  secrets: string[];
  /** A program is always in a process. */
  isolation: NonNullable<InstanceSettings["isolation"]>;
  /** Heap of a module, or data of a program, MiB. */
  memoryMb: number;
  /** The lower of the config's and the manifest's limit; null if neither has one. */
  freezeMs: number | null;
  /** Programs that ctx.exec may run by name. */
  commands: string[];
  /** Whether it may also run programs by their path, if no other user can change them. */
  programs: "by-name" | "by-path";
  /** Environment variables that the plugin gets. */
  environment: string[];
  /** Contract version that host and plugin use. */
  protocol: number;
}

export interface Resolution {
  /** Without the excluded instances. */
  plugins: ResolvedPlugin[];
  /** The candidates of each instance, by its name. */
  candidates: Map<string, Candidate[]>;
  /** Everything on the plugin paths. */
  found: Candidate[];
  /** Problems that prevent nothing: plugin paths that cannot be searched, plugins with an older contract. */
  warnings: string[];
}
