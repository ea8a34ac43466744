// One message: picture, text, buttons.

import { clock, element, rich, short } from "./text.js";

const copyIcon = `<svg viewBox="0 0 24 24" aria-hidden="true"><path class="line" d="M9 9h11v11H9zM5 15H4V4h11v1"/></svg>`;
const outIcon = `<svg viewBox="0 0 24 24" aria-hidden="true"><path class="line" d="M7 17 17 7M9 7h8v8"/></svg>`;

/** entries turns messages into entries for reconcile, with days in between. */
export function entries(messages, on) {
  const out = [];
  let day = "";
  for (const m of messages) {
    const its = new Date(m.date * 1000).toLocaleDateString([], { day: "numeric", month: "long" });
    if (its !== day) {
      day = its;
      out.push({ key: `day ${its}`, state: its, make: () => element("p", { className: "day" }, its) });
    }
    out.push({ key: `m${m.id}`, state: short(m), make: () => message(m, on) });
  }
  return out;
}

export function message(m, on) {
  if (m.service) return element("p", { className: "service" }, m.text);
  const mine = m.from === "me";
  const bubble = element("div", { className: "bubble" });
  if (m.picture) bubble.append(picture(m, on));
  const text = element("p", { data: { testid: "message-text" } });
  if (m.sticker) text.append(m.sticker);
  text.append(rich(m.text, m.entities, on));
  if (m.document) text.append(`📎 ${m.document.name}`);
  text.append(element("span", { className: "stamp" }, (m.edited ? `edited ${clock(m.edited)}` : clock(m.date)) + (m.read ? " ✓✓" : "")));
  bubble.append(text);
  const node = element("article", {
    className: `msg${mine ? " me" : ""}${m.buttons.length || m.picture ? " card-like" : ""}`,
    data: { testid: "message", id: m.id, from: m.from },
    "aria-label": mine ? "You" : "Message",
  }, bubble);
  if (m.buttons.length) node.append(keys(m, on));
  return node;
}

function picture(m, on) {
  const source = pictureURL(m);
  const alt = (m.text.split("\n").find((line) => line.trim()) || "Picture").trim();
  return element("button", {
    type: "button", className: "picture", "aria-label": `Enlarge: ${alt}`, data: { testid: "picture" },
    onclick: () => on.picture?.(source, m.text),
  }, element("img", { src: source, alt }));
}

export function pictureURL(m) {
  const kind = m.picture.startsWith("/9j/") ? "jpeg" : m.picture.startsWith("R0lG") ? "gif" : "png";
  return `data:image/${kind};base64,${m.picture}`;
}

function keys(m, on) {
  const rows = new Map();
  for (const b of m.buttons) rows.set(b.row, [...(rows.get(b.row) ?? []), b]);
  return element("div", { className: "keys", role: "group", "aria-label": "Buttons" },
    ...[...rows.values()].map((row) => element("div", {}, ...row.map((b) => key(m, b, on)))));
}

function key(m, b, on) {
  const node = element("button", {
    type: "button", className: `key${b.style ? ` ${b.style}-key` : ""}`, disabled: Boolean(b.disabled),
    data: { testid: "button", button: b.id, text: b.text }, onclick: () => on.tap?.(m, b, node),
  }, b.text);
  if (b.copy) node.insertAdjacentHTML("beforeend", copyIcon);
  if (b.url) node.insertAdjacentHTML("beforeend", outIcon);
  return node;
}
