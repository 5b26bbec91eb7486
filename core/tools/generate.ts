/** Writes what is generated from schemas/ and from the types of the contract: they are the source, the generated files are committed. */
import { writeFileSync } from "node:fs";
import { generated } from "./generated.js";

for (const [file, text] of Object.entries(await generated())) writeFileSync(file, text);
