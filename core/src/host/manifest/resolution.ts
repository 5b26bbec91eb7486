import type { InstanceSettings } from "../../base/config/settings.js";
import type { Candidate, Who } from "../../base/errors/details.js";
import type { PluginManifest } from "../../base/schema/types.js";

/** A plugin instance, ready to be started. */
export interface ResolvedPlugin {
  who: Who;
  manifest: PluginManifest;
  /** Real path of the plugin's folder. */
  dir: string;
  /** Absolute path of the module. */
  entry: string;
  policy: "required" | "best-effort";
  /** Checked, with the plugin's defaults filled in. Secrets are as the config has them: `reveal` reads what they refer to. */
  options: Record<string, unknown>;
  /** Where the options have secrets: JSON pointers into them. */
  secrets: string[];
  isolation: NonNullable<InstanceSettings["isolation"]>;
  /** Heap of the worker, MiB. */
  memoryMb: number;
  /** The lower of the config's and the manifest's limit; null if neither has one. */
  freezeMs: number | null;
  /** What ctx.exec may run by its name. */
  commands: string[];
  /** Whether it may run programs by their path too, if nobody else could change them. */
  programs: "by-name" | "by-path";
  /** Variables that are handed on to the plugin. */
  environment: string[];
  /** Contract version that host and plugin use. */
  protocol: number;
}

export interface Resolution {
  /** Without the excluded instances. */
  plugins: ResolvedPlugin[];
  /** Of each instance, by its name. */
  candidates: Map<string, Candidate[]>;
  /** Everything on the plugin paths. */
  found: Candidate[];
  /** What was wrong and harmed nobody: plugin paths that cannot be searched, plugins of an older contract. */
  warnings: string[];
}
