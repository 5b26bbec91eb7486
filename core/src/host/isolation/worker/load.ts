import { pathToFileURL } from "node:url";
import { operations } from "../operations.js";
import type { Start } from "../wire.js";

export type Method = (...args: unknown[]) => unknown;

/** The methods of the plugin's default export, bound to it. @throws Error if a required method is missing. */
export async function loadPlugin({ entry, role }: Start): Promise<Map<string, Method>> {
  const module = (await import(pathToFileURL(entry).href)) as { default?: unknown };
  const plugin = module.default;
  if (typeof plugin !== "object" || plugin === null) throw new Error("its default export is not an object");

  const methods = new Map<string, Method>();
  const missing: string[] = [];
  for (const [op, { needed }] of Object.entries(operations[role])) {
    const method: unknown = Reflect.get(plugin, op);
    if (isMethod(method)) methods.set(op, (...args) => Reflect.apply(method, plugin, args));
    else if (needed || method !== undefined) missing.push(op);
  }
  if (missing.length > 0) throw new Error(`its default export has no method ${missing.join(", ")}`);
  return methods;
}

function isMethod(value: unknown): value is Method {
  return typeof value === "function";
}
