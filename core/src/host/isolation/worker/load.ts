import { pathToFileURL } from "node:url";
import { operations, type Role } from "../operations.js";
import type { Start } from "../wire.js";

export type Method = (...args: unknown[]) => unknown;

/** The methods of the plugin's default export, bound to it. @throws Error if a required method is missing. */
export async function loadPlugin({ entry, role }: Start): Promise<Map<string, Method>> {
  const module = (await import(pathToFileURL(entry).href)) as { default?: unknown };
  const plugin = module.default;
  if (typeof plugin !== "object" || plugin === null) throw new Error("its default export is not an object");

  return methodsOf(role, "its default export", (op) => {
    const method: unknown = Reflect.get(plugin, op);
    if (isMethod(method)) return (...args) => Reflect.apply(method, plugin, args);
    return method === undefined ? undefined : "not a method";
  });
}

/** The methods of a kind of plugin, as far as `where` has them. @throws Error if a required one is missing. */
export function methodsOf(
  role: Role,
  where: string,
  find: (op: string, params: readonly string[]) => Method | "not a method" | undefined,
): Map<string, Method> {
  const methods = new Map<string, Method>();
  const missing: string[] = [];
  for (const [op, { needed, params }] of Object.entries(operations[role])) {
    const method = find(op, params);
    if (isMethod(method)) methods.set(op, method);
    else if (needed || method !== undefined) missing.push(op);
  }
  if (missing.length > 0) throw new Error(`${where} has no method ${missing.join(", ")}`);
  return methods;
}

function isMethod(value: unknown): value is Method {
  return typeof value === "function";
}
