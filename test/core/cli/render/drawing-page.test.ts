import assert from "node:assert/strict";
import test from "node:test";
import { drawing } from "#core/cli/render/drawing.js";
import { drawingPage } from "#core/cli/render/drawing-page.js";
import type { Span } from "#core/base/schema/types.js";

const spans: Span[] = [
  { actor: "app", op: "freeze", from: 0, to: 20, limitMs: 20_000, outcome: "ok" },
  { actor: "keeper", op: "hold", from: 20, to: 30, limitMs: 10_000, outcome: "ok" },
  { actor: "lvm", op: "commit", from: 30, to: 40, limitMs: 10_000, outcome: "ok" },
  { actor: "app", op: "thaw", from: 40, to: 45, limitMs: 20_000, outcome: "failed", reason: "it did not answer" },
];
const subject = { title: "A <b>name</b>", culprit: "app", spans };

test("a timeline as a page has a body with the drawing, and its title is text", () => {
  const page = drawingPage(subject);
  assert.match(page, /^<!doctype html>\n<html lang="en">/);
  assert.ok(page.includes(`<body>\n${drawing(subject)}</body>`));
  assert.match(page, /<title>A &#60;b&#62;name&#60;\/b&#62;<\/title>/);
});

test("each colour of a timeline that is dark or light has another one on a dark page", () => {
  const [, dark = ""] = /prefers-color-scheme:dark\)\{(.*)\}/.exec(drawingPage(subject)) ?? [];
  const greys = new Set(drawing(subject).match(/(?<=(?:fill|stroke)=")#[0-9a-f]{3,6}(?=")/g));
  assert.ok(greys.size > 4);
  assert.deepEqual(
    [...greys].filter((colour) => !dark.includes(`[fill="${colour}"]{fill:`)),
    [],
  );
});
