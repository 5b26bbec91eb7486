/** Where a page points there is something: a file, a folder, and the heading in it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { pages } from "../support/pages.js";
import { repository } from "../support/repository.js";

const all = new Map(pages().map(({ where, text }) => [where, text]));

test("every link of every page leads to a file, and to a heading in it", () => {
  const broken = [...all].flatMap(([where, text]) => {
    const links = [...withoutCode(text).matchAll(/\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)/g)];
    return links
      .filter(([, to = "", heading = ""]) => !leads(where, to, heading))
      .map(([link]) => `${where}: ${link.slice(1)}`);
  });
  assert.deepEqual(broken, []);
});

test("every page in docs/ is in its index", () => {
  const index = all.get("docs/README.md") ?? "";
  const missing = [...all.keys()].filter(
    (where) => where.startsWith("docs/") && where !== "docs/README.md" && !index.includes(`](${path.basename(where)})`),
  );
  assert.deepEqual(missing, []);
});

function leads(from: string, to: string, heading: string): boolean {
  const target = to === "" ? from : path.join(path.dirname(from), to);
  if (!existsSync(path.join(repository, target))) return false;
  return heading === "" || headingsOf(all.get(target) ?? "").includes(heading);
}

/** As GitHub makes anchors of them. */
function headingsOf(page: string): string[] {
  return [...withoutCode(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function withoutCode(page: string): string {
  return page
    .replaceAll(/^ *```.*?^ *```$/gms, "")
    .replaceAll(/`[^`\n]*`/g, (code) => (/[[\]()]/.test(code) ? "" : code));
}
