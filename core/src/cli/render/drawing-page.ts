import { drawing, type DrawingSubject, escape, width } from "./drawing.js";

/** The colours of the drawing on a dark page. Those that are not here can be seen on both. */
const dark: Readonly<Record<string, string>> = {
  "#fff": "#14171a",
  "#1a202c": "#e7eaee",
  "#2d3748": "#e7eaee",
  "#4a5568": "#a3acb8",
  "#718096": "#a3acb8",
  "#e2e8f0": "#333a43",
  "#2b6cb0": "#6ea8f5",
  "#bee3f8": "#2a4365",
  "#6b46c1": "#b394f2",
  "#c05621": "#eab35c",
  "#c53030": "#ff8d85",
};

const darkRules = Object.entries(dark)
  .map(([light, colour]) => `[fill="${light}"]{fill:${colour}}[stroke="${light}"]{stroke:${colour}}`)
  .join("");

/** An HTML page with the drawing, in the colours that the reader prefers. */
export function drawingPage(subject: DrawingSubject): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(subject.title)}</title>
<style>
:root{color-scheme:light dark}
body{font:14px system-ui,sans-serif;margin:2rem auto;max-width:${width}px}
svg{width:100%;height:auto}
@media (prefers-color-scheme:dark){body{background:${dark["#fff"]}}${darkRules}}
</style>
</head>
<body>
${drawing(subject)}</body>
</html>
`;
}
