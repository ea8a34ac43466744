// Texts with entities, the way Telegram's apps show them. Offsets count UTF-16
// units, as strings in JavaScript do.

const looks = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

/** element makes an element with properties and children. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "data") Object.assign(node.dataset, value);
    else if (key.includes("-") || key === "role" || key === "for") node.setAttribute(key, value);
    else node[key] = value;
  }
  node.append(...children);
  return node;
}

/** rich renders a text; on.command, on.mention and on.link are told of taps. */
export function rich(text, entities = [], on = {}) {
  const edges = new Set([0, text.length]);
  for (const e of entities) edges.add(e.offset).add(e.offset + e.length);
  const sorted = [...edges].sort((a, b) => a - b);
  const out = document.createDocumentFragment();
  for (let i = 0; i + 1 < sorted.length; i++) {
    const [from, to] = [sorted[i], sorted[i + 1]];
    const inside = entities.filter((e) => e.offset <= from && e.offset + e.length >= to);
    let node = document.createTextNode(text.slice(from, to));
    for (const e of inside.reverse()) node = dressed(node, e, text, on);
    out.append(node);
  }
  return out;
}

function dressed(node, e, text, on) {
  const whole = text.slice(e.offset, e.offset + e.length);
  switch (e.type) {
    case "bot_command":
      return tappable(node, () => on.command?.(whole), { command: whole });
    case "mention":
      return tappable(node, () => on.mention?.(whole.slice(1)), { mention: whole });
    case "url":
      return tappable(node, () => on.link?.(whole), { link: whole });
    case "text_link":
      return tappable(node, () => on.link?.(e.url), { link: e.url });
    case "date_time":
      return moment(e, node);
    default:
      return looks[e.type] ? element(looks[e.type], {}, node) : node;
  }
}

function tappable(node, onclick, data) {
  return element("button", { type: "button", className: "link", onclick, data }, node);
}

/** moment shows a time in the reader's own zone; format r counts by itself. */
function moment(e, node) {
  const at = new Date(e.unix_time * 1000);
  const time = element("time", { dateTime: at.toISOString(), title: at.toLocaleString() });
  const format = e.date_time_format || "";
  if (!format) {
    time.append(node);
    return time;
  }
  if (format === "r") {
    time.dataset.relative = e.unix_time;
    time.textContent = relative(e.unix_time);
    return time;
  }
  time.textContent = format.split("").map((c) => part(at, c)).join(", ");
  return time;
}

function part(at, c) {
  const options = {
    w: { weekday: "short" }, d: { dateStyle: "short" }, D: { dateStyle: "long" },
    t: { timeStyle: "short" }, T: { timeStyle: "medium" },
  };
  return new Intl.DateTimeFormat(undefined, options[c]).format(at);
}

function relative(unix) {
  const seconds = unix - Date.now() / 1000;
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: "always" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(Math.trunc(seconds), "second");
}

setInterval(() => {
  for (const node of document.querySelectorAll("time[data-relative]")) {
    node.textContent = relative(Number(node.dataset.relative));
  }
}, 1000);

/** clock is the time under a message. */
export function clock(unix) {
  return new Date(unix * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** reconcile brings children of a list up to date: entries are {key, state,
 * make}; what has the same state is left alone, focus and all. Returns whether
 * anything changed. */
export function reconcile(list, entries) {
  const old = new Map([...list.children].map((n) => [n.dataset.key, n]));
  let changed = false;
  entries.forEach(({ key, state, make }, i) => {
    let node = old.get(key);
    old.delete(key);
    if (!node || node.dataset.state !== state) {
      const next = make();
      next.dataset.key = key;
      next.dataset.state = state;
      changed = true;
      if (node) {
        keepFocus(node, next);
      }
      node = next;
    }
    if (list.children[i] !== node) list.insertBefore(node, list.children[i] ?? null);
  });
  for (const node of old.values()) {
    node.remove();
    changed = true;
  }
  return changed;
}

/** keepFocus replaces a node; the same button in the new one gets the focus. */
function keepFocus(node, next) {
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.button : null;
  node.replaceWith(next);
  if (focused) next.querySelector(`[data-button="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

/** follow keeps a log at its end, if it was there before the change. */
export function follow(log, change) {
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 90;
  const changed = change();
  if (changed && atEnd) {
    log.scrollTop = log.scrollHeight;
    for (const img of log.querySelectorAll("img")) {
      if (!img.complete) img.addEventListener("load", () => { log.scrollTop = log.scrollHeight; }, { once: true });
    }
  }
  return changed;
}

/** stick keeps a log at its end when its room changes, as when a keyboard opens. */
export function stick(log) {
  let atEnd = true;
  log.addEventListener("scroll", () => { atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 90; });
  new ResizeObserver(() => { if (atEnd) log.scrollTop = log.scrollHeight; }).observe(log);
}

/** short is a hash that is small enough to keep on a node. */
export function short(value) {
  const s = JSON.stringify(value);
  let h = 5381;
  for (let i = 0; i < s.length; i++) h = ((h << 5) + h + s.charCodeAt(i)) | 0;
  return `${s.length}.${h}`;
}
