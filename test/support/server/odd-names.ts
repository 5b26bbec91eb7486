/** Each is a syntax error, or another name, where it is not quoted: in any server. */
export const oddNames: readonly string[] = [
  "shop.de",
  "back`tick",
  "a b",
  "é",
  "select",
  "100",
  "it's",
  'double"quote',
  "semi;colon",
  "per%cent",
  "back\\slash",
  "-- x",
  "日本",
  "A/b",
  "$(id)",
  "new\nline",
];
