/** The keys of sets of several hosts, below one prefix. Rights in the engine are given by their beginnings. */

export type ClusterKey =
  | { type: "plan" | "requester" | "verdict"; set: string }
  | { type: "host"; host: string; set: string }
  | { type: "presence"; host: string };

export class ClusterKeys {
  readonly prefix: string;

  /** @param prefix Begins and ends with a slash. */
  constructor(prefix: string) {
    this.prefix = prefix;
  }

  of(key: ClusterKey): string {
    switch (key.type) {
      case "host":
        return `${this.folderOf(key.host)}${key.set}`;
      case "presence":
        return `${this.folderOf(key.host)}presence`;
      default:
        return `${this.prefix}${key.type}/${key.set}`;
    }
  }

  /** What the host alone may write begins with this. */
  folderOf = (host: string): string => `${this.prefix}host/${host}/`;

  /** null: not one of these keys. */
  parse(text: string): ClusterKey | null {
    if (!text.startsWith(this.prefix)) return null;
    const [type, first, second, ...rest] = text.slice(this.prefix.length).split("/");
    if (first === undefined || first === "" || rest.length > 0) return null;
    if (type === "host" && second !== undefined && second !== "")
      return second === "presence" ? { type: "presence", host: first } : { type: "host", host: first, set: second };
    if (second !== undefined) return null;
    return type === "plan" || type === "requester" || type === "verdict" ? { type, set: first } : null;
  }
}
