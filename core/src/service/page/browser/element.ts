type Child = Node | string;

/** An element. Text never becomes markup: names, paths, and reasons come from plugins and requesters. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** An element of page.html. */
export function part(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

/** A table with a header row. If it is wider than the window, the keyboard can also scroll it. */
export function htmlTable(label: string, heads: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell))));
  const whole = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { class: "scrolled", role: "region", tabindex: "0", "aria-label": label }, whole);
}

/** Several things in one cell. */
export function lines(...parts: readonly Child[]): HTMLElement {
  return element("div", {}, ...parts.map((one) => element("div", {}, one)));
}

export const classed = (name: string, text: string): HTMLElement => element("span", { class: name }, text);
