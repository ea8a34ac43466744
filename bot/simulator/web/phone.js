// The phone with its secret chats.

import { post } from "./api.js";
import { letters, named, profile, row, rows } from "./courier.js";
import { say, showPicture } from "./dialogs.js";
import { entries } from "./message.js";
import { element, follow, reconcile, short } from "./text.js";

const $ = (id) => document.getElementById(id);
const lock = `<svg class="lock" viewBox="0 0 24 24" aria-hidden="true"><path d="M17 10V8A5 5 0 0 0 7 8v2H5.5v11h13V10zM9 8a3 3 0 0 1 6 0v2H9z"/></svg>`;

/** phone runs the middle pane. Where it is: the list, "profile:<courier>",
 * "@<courier>" for the ordinary chat, or one secret chat. */
export function phone(page) {
  const state = { at: "list", off: false, hidden: false, second: false, blocked: new Set(), seen: new Set() };
  const go = (at) => { state.at = at; show(page, state, go); };
  $("phone-back").onclick = () => go("list");
  $("phone-more").onclick = () => menu(page, state, go);
  $("phone-menu").onkeydown = (event) => {
    if (event.key === "Escape") { closeMenu(); $("phone-more").focus(); }
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#phone-menu, #phone-more")) closeMenu();
  });
  $("phone-form").onsubmit = (event) => {
    event.preventDefault();
    const text = $("phone-input").value.trim();
    if (!text) return;
    $("phone-input").value = "";
    act(page, post(`/telegram/users/${page.user}/text`, { chat: state.at, text }));
  };
  const letter = (name, text) => {
    go(`@${name}`);
    $("phone-input").value = text;
    $("phone-input").focus();
  };
  return { show: () => show(page, state, go), profile: (name) => go(`profile:${name}`), letter };
}

const secrets = (page) => page.view.chats.filter((c) => c.kind === "secret");

/** newest is the latest picture that lies in a secret chat: the ticket. */
export function newest(view) {
  const all = view.chats.filter((c) => c.kind === "secret" && c.state !== "closed").flatMap((c) => c.messages);
  return all.filter((m) => m.picture && m.from !== "me").sort((a, b) => a.date - b.date || a.id - b.id).at(-1);
}

async function act(page, promise) {
  try {
    return await promise;
  } catch (error) {
    say(error.message);
    return undefined;
  } finally {
    page.refresh();
  }
}

function show(page, state, go) {
  const all = secrets(page);
  for (const c of all) {
    if (state.seen.has(c.chat)) continue;
    state.seen.add(c.chat);
    if (c.state !== "closed" && c.messages.length + (c.state === "pending") > 0) state.at = c.chat;
  }
  const here = all.find((c) => c.chat === state.at);
  const who = /^(profile:|@)/.test(state.at) && named(page.view, state.at.replace("profile:", ""));
  if (!here && !who) state.at = "list";
  const plain = state.at.startsWith("@");
  $("phone-back").hidden = state.at === "list";
  $("phone-foot").hidden = state.off || !plain && here?.state !== "open";
  $("phone-input").placeholder = plain ? "Message" : "Secret message";
  $("phone-input").ariaLabel = plain ? "Message to the courier" : "Message in the secret chat";
  const log = $("phone-log");
  log.classList.toggle("phone-list", !here && !plain);
  title(page, state, here, who);
  return follow(log, () => reconcile(log, content(page, state, go, here, who)));
}

function content(page, state, go, here, who) {
  if (here) return conversation(page, here);
  if (state.at.startsWith("@")) return letters(page.view.chats.find((c) => c.chat === `@${who.username}`), page);
  return who ? [profile(who, state.blocked.has(who.username), profileActs(page, state, go, who))] : contacts(page, go);
}

function profileActs(page, state, go, who) {
  const user = `/telegram/users/${page.user}`;
  return {
    secret: async () => {
      const started = await act(page, post(`${user}/secretchat`, { with: `@${who.username}` }));
      if (started) go(started.chat);
    },
    write: () => go(`@${who.username}`),
    block: async () => {
      const blocked = state.blocked.has(who.username);
      if (!await act(page, post(`${user}/do`, { action: blocked ? "unblock" : "block", chat: `@${who.username}` }))) return;
      blocked ? state.blocked.delete(who.username) : state.blocked.add(who.username);
      show(page, state, go);
    },
  };
}

function title(page, state, here, who) {
  const name = here?.title || who?.name || "Your phone";
  $("phone-title").innerHTML = here ? lock : "";
  $("phone-title").append(name);
  $("phone-title").className = here ? "secret" : "";
  const words = { pending: "waiting to be accepted", open: "secret chat", closed: "this secret chat has ended" };
  const phone = here?.phone ? "second phone, " : "";
  $("phone-state").textContent = state.off ? "switched off" : here ? phone + words[here.state] : who ? `@${who.username}` : "chats";
}

function contacts(page, go) {
  const list = rows(page.view, go);
  for (const c of secrets(page).toReversed()) {
    const last = c.messages.at(-1);
    const words = c.state === "pending" ? "Waiting to be accepted" : c.state === "closed" ? "Ended" : last?.text.split("\n")[0] || "Secret chat";
    const under = c.phone ? `Second phone: ${words}` : words;
    list.push({ key: c.chat, state: short([c.state, under]), make: () => secretRow(c, under, go) });
  }
  list.push({
    key: "note", state: "1", make: () => element("p", { className: "note" },
      "Only a phone has secret chats. Open the courier above and start one: your tickets come there."),
  });
  return list;
}

function secretRow(c, words, go) {
  const node = row(c.title, words, () => go(c.chat), "phone-secret");
  node.classList.add("secret");
  node.querySelector("b").insertAdjacentHTML("afterbegin", lock);
  return node;
}

function conversation(page, c) {
  const intro = {
    key: "lock", state: c.state, make: () => {
      const line = element("p", { className: "lockline" }, "End-to-end encrypted. Telegram cannot read it.");
      line.insertAdjacentHTML("afterbegin", lock);
      return line;
    },
  };
  const list = [intro, ...entries(c.messages, { picture: showPicture, mention: page.openProfile })];
  const note = {
    pending: `Waiting for ${c.title} to accept. This goes on by itself.`,
    closed: "This secret chat has ended. Start a new one from the courier's profile.",
    open: c.messages.length ? "" : "The secret chat is open. Your tickets will come here.",
  }[c.state];
  if (note) list.push({ key: "note", state: note, make: () => element("p", { className: "service", data: { testid: "phone-note" } }, note) });
  return list;
}

function closeMenu() {
  $("phone-menu").hidden = true;
  $("phone-more").setAttribute("aria-expanded", "false");
}

function menu(page, state, go) {
  if (!$("phone-menu").hidden) return closeMenu();
  const can = (label, testid, run) => element("button", { type: "button", data: { testid }, onclick: () => { closeMenu(); run(); } }, label);
  const does = (action, chat) => act(page, post(`/telegram/users/${page.user}/do`, { action, chat }));
  const turn = async (action, changes) => {
    if (await does(action)) Object.assign(state, changes);
    if (!$("phone-menu").hidden) { closeMenu(); menu(page, state, go); } // opened again meanwhile: it says what is true now
    show(page, state, go);
  };
  const items = [
    state.off
      ? can("Switch the phone on", "phone-on", () => turn("phone-on", { off: false }))
      : can("Switch the phone off", "phone-off", () => turn("phone-off", { off: true })),
    can("Get a new phone", "phone-new", async () => { await does("new-phone"); go("list"); }),
    state.hidden
      ? can("Allow secret chats", "phone-allow", () => turn("no-privacy", { hidden: false }))
      : can("Forbid secret chats", "phone-forbid", () => turn("privacy", { hidden: true })),
  ];
  if (!state.second) items.push(can("Get a second phone", "phone-second", () => turn("second-phone", { second: true })));
  if (state.at.startsWith("secret:")) {
    items.push(can("Delete this secret chat", "phone-delete", async () => { await does("delete-chat", state.at); go("list"); }));
  }
  $("phone-menu").replaceChildren(...items);
  $("phone-menu").hidden = false;
  $("phone-more").setAttribute("aria-expanded", "true");
  items[0].focus();
}
