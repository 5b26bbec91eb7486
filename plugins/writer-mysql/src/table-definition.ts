/** MariaDB's legacy_db_type of engines that a partition's table may name by number alone (sql/handler.h). */
const byNumber: Readonly<Record<number, string>> = {
  6: "MEMORY",
  9: "MyISAM",
  12: "InnoDB",
  16: "ARCHIVE",
  42: "Aria",
};

/**
 * The engine that a .frm file names (MariaDB, sql/table.cc, init_from_binary_frm_image): after the record with the defaults comes
 * the connect string and then the engine, each with its length. "unknown" if it has no such name.
 */
export function engineOfFrm(frm: Buffer): string {
  if (frm.subarray(0, 9).toString("latin1") === "TYPE=VIEW") return "VIEW";
  try {
    const keys = frm.readUInt16LE(14);
    const record = frm.readUInt16LE(6) + (keys === 0xffff ? frm.readUInt32LE(47) : keys);
    const connect = record + frm.readUInt16LE(16);
    const name = connect + 2 + frm.readUInt16LE(connect);
    const engine = frm.subarray(name + 2, name + 2 + frm.readUInt16LE(name)).toString("latin1");
    if (engine === "partition") return byNumber[frm.readUInt8(61)] ?? engineOfPartitions(frm);
    return /^\w+$/.test(engine) ? engine : "unknown";
  } catch {
    return "unknown";
  }
}

/** The clause PARTITION BY as the server prints it; it names the engine of each partition. */
function engineOfPartitions(frm: Buffer): string {
  return /PARTITION.* ENGINE\s*=\s*(\w+)/s.exec(frm.toString("latin1"))?.[1] ?? "unknown";
}

/** The engine that an .sdi file names: MySQL writes one for each table whose engine keeps no definition itself. */
export function engineOfSdi(sdi: Buffer): string {
  return /"engine":\s*"(\w+)"/.exec(sdi.toString("latin1"))?.[1] ?? "unknown";
}
