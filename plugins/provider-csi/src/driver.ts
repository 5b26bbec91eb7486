import type { Context } from "holdstill/plugin";
import type { Connection } from "./connection.js";
import { PluginError } from "./errors.js";
import type { Options } from "./options.js";

/** What a driver is and can do. The capabilities have the names of the specification. */
export interface Driver {
  readonly name: string;
  readonly version: string;
  readonly can: ReadonlySet<string>;
}

/** By socket. A driver that is replaced by another version during a transaction fails in the call that it no longer knows. */
const known = new Map<string, Driver>();

/** Reads it from the driver, once in the life of a worker. @throws PluginError UNREACHABLE, UNSUPPORTED */
export async function driverOf(
  connection: Connection,
  { options }: Pick<Context<Options>, "options">,
): Promise<Driver> {
  const { socket } = options;
  const driver = known.get(socket) ?? (await read(connection));
  if (options.driver !== undefined && options.driver !== driver.name) {
    const message = `The driver at ${socket} is ${driver.name}, and not ${options.driver}.`;
    throw new PluginError("UNSUPPORTED", message, "Correct the option `driver` or `socket`.");
  }
  known.set(socket, driver);
  return driver;
}

/** Asks the driver itself, and not what a worker remembers. @throws PluginError UNREACHABLE */
export async function assertReady(connection: Connection): Promise<void> {
  const { ready } = await connection.call("Probe", {});
  if (ready?.value !== false) return;
  throw new PluginError("UNREACHABLE", "The driver reports that it is not ready.", "Wait, or see its log.");
}

async function read(connection: Connection): Promise<Driver> {
  const { name, vendorVersion } = await connection.call("GetPluginInfo", {});
  const services = await connection.call("GetPluginCapabilities", {});
  const can = new Set(services.capabilities.flatMap(({ service }) => service?.type ?? []));
  const lists = [
    ...(can.has("CONTROLLER_SERVICE") ? [await connection.call("ControllerGetCapabilities", {})] : []),
    ...(can.has("GROUP_CONTROLLER_SERVICE") ? [await connection.call("GroupControllerGetCapabilities", {})] : []),
  ];
  for (const { rpc } of lists.flatMap(({ capabilities }) => capabilities)) if (rpc !== null) can.add(rpc.type);
  return { name, version: vendorVersion, can };
}

/** How several volumes of one set are captured. @throws PluginError UNSUPPORTED */
export function methodOf(
  { name, can }: Driver,
  volumes: number,
  { groups }: Pick<Options, "groups">,
): "group" | "single" {
  const hasSingle = can.has("CREATE_DELETE_SNAPSHOT");
  const hasGroups = groups === "auto" && can.has("CREATE_DELETE_GET_VOLUME_GROUP_SNAPSHOT");
  if (hasGroups && (volumes > 1 || !hasSingle)) return "group";
  if (hasSingle) return "single";
  const message = `The driver ${name} cannot take snapshots.`;
  throw new PluginError("UNSUPPORTED", message, "Name another provider before this one in the config.");
}
