// The phone with its secret chats.

import { post } from "./api.js";
import { say, showPicture } from "./dialogs.js";
import { entries } from "./message.js";
import { element, follow, reconcile, short } from "./text.js";

const $ = (id) => document.getElementById(id);
const lock = `<svg class="lock" viewBox="0 0 24 24" aria-hidden="true"><path d="M17 10V8A5 5 0 0 0 7 8v2H5.5v11h13V10zM9 8a3 3 0 0 1 6 0v2H9z"/></svg>`;

/** phone runs the middle pane. Where it is: the list, the courier's profile or
 * one secret chat. */
export function phone(page) {
  const state = { at: "list", off: false, seen: new Set() };
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
  return { show: () => show(page, state, go), profile: () => go("profile") };
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
  if (!here && state.at !== "profile") state.at = "list";
  $("phone-back").hidden = state.at === "list";
  $("phone-foot").hidden = here?.state !== "open" || state.off;
  const log = $("phone-log");
  log.classList.toggle("phone-list", !here);
  title(page, state, here);
  const list = here ? conversation(page, here) : state.at === "profile" ? [profile(page, go)] : contacts(page, all, go);
  return follow(log, () => reconcile(log, list));
}

function title(page, state, here) {
  const name = here || state.at === "profile" ? page.view.courier.name : "Your phone";
  $("phone-title").innerHTML = here ? lock : "";
  $("phone-title").append(name);
  $("phone-title").className = here ? "secret" : "";
  const words = { pending: "waiting to be accepted", open: "secret chat", closed: "this secret chat has ended" };
  $("phone-state").textContent = state.off ? "switched off" : here ? words[here.state] : state.at === "profile" ? `@${page.view.courier.username}` : "chats";
}

function contacts(page, all, go) {
  const list = [{ key: "courier", state: short(page.view.courier), make: () => row(page.view.courier, `@${page.view.courier.username}`, () => go("profile"), "phone-courier") }];
  for (const c of all.toReversed()) {
    const last = c.messages.at(-1);
    const words = c.state === "pending" ? "Waiting to be accepted" : c.state === "closed" ? "Ended" : last?.text.split("\n")[0] || "Secret chat";
    list.push({ key: c.chat, state: short([c.state, words]), make: () => secretRow(c, words, go) });
  }
  list.push({
    key: "note", state: "1", make: () => element("p", { className: "note" },
      "Only a phone has secret chats. Open the courier above and start one: your tickets come there."),
  });
  return list;
}

function row(person, under, onclick, testid) {
  return element("button", { type: "button", className: "contact", onclick, data: { testid } },
    element("span", { className: "avatar", "aria-hidden": "true" }, person.name.slice(0, 1)),
    element("div", {}, element("b", {}, person.name), element("p", { className: "dim" }, under)));
}

function secretRow(c, words, go) {
  const node = row({ name: c.title }, words, () => go(c.chat), "phone-secret");
  node.classList.add("secret");
  node.querySelector("b").insertAdjacentHTML("afterbegin", lock);
  return node;
}

function profile(page, go) {
  const { name, username } = page.view.courier;
  return {
    key: "profile", state: short(name), make: () => element("div", { className: "profile" },
      element("span", { className: "avatar", "aria-hidden": "true" }, name.slice(0, 1)),
      element("h3", {}, name), element("p", { className: "dim" }, `@${username}`),
      element("button", {
        type: "button", className: "primary", data: { testid: "phone-start-secret" },
        onclick: async () => {
          const started = await act(page, post(`/telegram/users/${page.user}/secretchat`, { with: `@${username}` }));
          if (started) go(started.chat);
        },
      }, "Start Secret Chat"),
      element("p", { className: "note" }, "End-to-end encrypted, between your phone and the courier only.")),
  };
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
    pending: `Waiting for ${page.view.courier.name} to accept. This goes on by itself.`,
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
  const items = [
    state.off
      ? can("Switch the phone on", "phone-on", async () => { await does("phone-on"); state.off = false; show(page, state, go); })
      : can("Switch the phone off", "phone-off", async () => { await does("phone-off"); state.off = true; show(page, state, go); }),
    can("Get a new phone", "phone-new", async () => { await does("new-phone"); go("list"); }),
  ];
  if (state.at.startsWith("secret:")) {
    items.push(can("Delete this secret chat", "phone-delete", async () => { await does("delete-chat", state.at); go("list"); }));
  }
  $("phone-menu").replaceChildren(...items);
  $("phone-menu").hidden = false;
  $("phone-more").setAttribute("aria-expanded", "true");
  items[0].focus();
}
