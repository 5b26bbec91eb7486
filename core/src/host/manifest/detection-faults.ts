import type { Finding, PluginManifest } from "../../base/schema/types.js";
import { unknownPlaceholders } from "./suggestion.js";

/** What the schema cannot check of `detects`, `suggests`, `fallback` and `volumes`. */
export function detectionFaults(manifest: PluginManifest): Pick<Finding, "pointer" | "seen" | "expected">[] {
  const { kind, detects = [], suggests, fallback, volumes } = manifest;
  const wanted = kind === "writer" ? "process" : "volume";
  const shapes = detects.flatMap((detection, index) => {
    const given = (["process", "volume"] as const).filter((part) => detection[part] !== undefined);
    if (given.length === 1 && given[0] === wanted) return [];
    const seen = given.length === 0 ? "neither process nor volume" : given.join(" and ");
    return [{ pointer: `/detects/${index}`, seen, expected: `${wanted} alone, because the plugin is a ${kind}` }];
  });
  const patterns = detects.flatMap(({ process: detection }, index) => {
    const reason = detection?.socket === undefined ? null : whyInvalid(detection.socket);
    if (reason === null) return [];
    return [{ pointer: `/detects/${index}/process/socket`, seen: reason, expected: "a regular expression" }];
  });
  const unknown = suggests === undefined || patterns.length > 0 ? [] : unknownPlaceholders(manifest);
  const placeholders = unknown.map((name) => ({
    pointer: "/suggests",
    seen: `\${${name}}`,
    expected: kind === "writer" ? "a placeholder that `detects` gives a value" : "no placeholder",
  }));
  const role = { pointer: "/fallback", seen: "true", expected: "false, because only a provider can be the fallback" };
  const kinds = { pointer: "/volumes", seen: "volumes", expected: "no volumes, because only a provider captures them" };
  return [
    ...shapes,
    ...patterns,
    ...placeholders,
    ...(kind === "writer" && fallback === true ? [role] : []),
    ...(kind === "writer" && volumes !== undefined ? [kinds] : []),
  ];
}

/** null: it is valid. */
function whyInvalid(pattern: string): string | null {
  try {
    new RegExp(pattern, "u").test("");
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
