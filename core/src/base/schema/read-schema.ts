/** The schemas themselves. The checks at run time are compiled from them. Only the build and the service read them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { installation } from "../../installation.js";

export interface SchemaDocument {
  readonly $id: string;
  readonly $defs?: Readonly<Record<string, object>>;
}

/** @param file As in schemas/: `event.v1.schema.json`. @throws Error if it is missing: the installation is damaged. */
export function readSchema(file: string): SchemaDocument {
  const known = documents.get(file);
  if (known !== undefined) return known;
  const document = JSON.parse(readFileSync(path.join(installation.schemas, file), "utf8")) as SchemaDocument;
  documents.set(file, document);
  return document;
}

const documents = new Map<string, SchemaDocument>();
