// A courier on the phone: its profile, and the ordinary chat with it.

import { showPicture } from "./dialogs.js";
import { entries } from "./message.js";
import { element, short } from "./text.js";

/** named finds a courier of the view by its username, with or without @. */
export function named(view, name) {
  const plain = name.replace(/^@/, "").toLowerCase();
  return view.couriers.find((c) => c.username.toLowerCase() === plain);
}

/** row is somebody in the list of chats. */
export function row(name, under, onclick, testid) {
  return element("button", { type: "button", className: "contact", onclick, data: { testid } },
    element("span", { className: "avatar", "aria-hidden": "true" }, name.slice(0, 1)),
    element("div", {}, element("b", {}, name), element("p", { className: "dim" }, under)));
}

/** rows are the couriers, and the chats with those that were written to. */
export function rows(view, go) {
  const list = view.couriers.map((c) => ({
    key: `courier ${c.username}`, state: short(c),
    make: () => row(c.name, `@${c.username}`, () => go(`profile:${c.username}`), "phone-courier"),
  }));
  for (const c of view.chats.filter((c) => c.kind === "user")) {
    const last = c.messages.at(-1)?.text.split("\n")[0] ?? "";
    list.push({ key: c.chat, state: short([c.title, last]), make: () => row(c.title, last, () => go(c.chat), "phone-letters") });
  }
  return list;
}

/** profile is what the phone shows of a courier; does starts a secret chat,
 * opens the ordinary one, or blocks. */
export function profile(courier, blocked, does) {
  const can = (label, testid, className, onclick) =>
    element("button", { type: "button", className, data: { testid }, onclick }, label);
  return {
    key: `profile ${courier.username}`, state: short([courier, blocked]), make: () => element("div", { className: "profile" },
      element("span", { className: "avatar", "aria-hidden": "true" }, courier.name.slice(0, 1)),
      element("h3", {}, courier.name), element("p", { className: "dim" }, `@${courier.username}`),
      can("Start Secret Chat", "phone-start-secret", "primary", does.secret),
      element("div", { className: "profile-more" },
        can("Message", "phone-message", "quiet", does.write),
        can(blocked ? "Unblock" : "Block", "phone-block", "quiet", does.block)),
      element("p", { className: "note" }, "A secret chat is end-to-end encrypted, between your phone and the courier only.")),
  };
}

/** letters is the ordinary chat with a courier. */
export function letters(chat, page) {
  const list = entries(chat?.messages ?? [], { picture: showPicture, mention: page.openProfile });
  list.unshift({
    key: "plain", state: "1", make: () => element("p", { className: "service" },
      "An ordinary chat: Telegram can read it. Tickets never come here."),
  });
  return list;
}
