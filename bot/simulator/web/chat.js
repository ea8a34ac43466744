// The chat with the bot.

import { post, ServerError } from "./api.js";
import { entries } from "./message.js";
import { element, follow, reconcile, short, stick } from "./text.js";
import { say, showAlert, showPicture, copy } from "./dialogs.js";

const $ = (id) => document.getElementById(id);

/** chat runs the left pane; page gives the person's id and opens other panes. */
export function chat(page) {
  const on = {
    tap: (m, b, node) => tap(page, m, b, node),
    command: (command) => write(page, command),
    mention: (name) => page.openProfile(name),
    link: (url) => open(page, url),
    picture: showPicture,
  };
  stick($("chat-log"));
  $("start").onclick = () => write(page, "/start");
  $("composer").onsubmit = (event) => {
    event.preventDefault();
    const text = $("composer-input").value.trim();
    if (!text) return;
    $("composer-input").value = "";
    write(page, text);
  };
  $("menu").onclick = () => toggle(page, $("commands").hidden);
  $("commands").onkeydown = (event) => {
    if (event.key === "Escape") { toggle(page, false); $("menu").focus(); }
  };
  return { show: (view) => show(view, on), write: (text) => write(page, text) };
}

function show(view, on) {
  const bot = view.chats.find((c) => c.chat === "bot");
  $("chat-title").textContent = view.bot.name;
  $("chat-avatar").textContent = view.bot.name.slice(0, 1);
  const empty = bot.messages.length === 0;
  $("start").hidden = !empty;
  $("composer").hidden = empty;
  $("menu").hidden = !view.bot.commands?.length;
  const list = entries(bot.messages, on);
  if (empty) list.unshift(about(view.bot));
  return follow($("chat-log"), () => reconcile($("chat-log"), list));
}

function about(bot) {
  const text = bot.description || "Tap Start to talk to the bot.";
  return {
    key: "about", state: short(text),
    make: () => element("div", { className: "about" }, element("h3", {}, "What can this bot do?"), text),
  };
}

function toggle(page, open) {
  const list = $("commands");
  list.hidden = !open;
  $("menu").setAttribute("aria-expanded", String(open));
  if (!open) return;
  list.replaceChildren(...page.view.bot.commands.map((c) => element("button", {
    type: "button", data: { testid: `command-${c.command}` },
    onclick: () => { toggle(page, false); $("composer-input").focus(); write(page, `/${c.command}`); },
  }, element("b", {}, `/${c.command}`), element("span", {}, c.description))));
  list.querySelector("button").focus();
}

async function write(page, text) {
  try {
    await post(`/telegram/users/${page.user}/text`, { text, chat: "bot" });
    await page.refresh();
    $("chat-log").scrollTop = $("chat-log").scrollHeight;
  } catch (error) {
    say(error.message);
  }
}

async function tap(page, m, b, node) {
  if (b.copy) return copy(b.copy);
  if (b.url) return open(page, b.url);
  node.classList.add("busy");
  node.setAttribute("aria-busy", "true");
  try {
    const got = await post(`/telegram/users/${page.user}/tap`, { message: m.id, button: b.id });
    if (got.answer) got.alert ? showAlert(got.answer) : say(got.answer);
    if (got.url) open(page, got.url);
  } catch (error) {
    const slow = error instanceof ServerError && error.status === 504;
    say(slow ? "The bot has not answered. Try again." : error.message);
  } finally {
    node.classList.remove("busy");
    node.removeAttribute("aria-busy");
    page.refresh();
  }
}

/** open follows a link: to the courier, to the bot, or out of here. */
function open(page, link) {
  const url = new URL(link.includes("://") ? link : `https://${link}`);
  const deep = url.protocol === "tg:";
  const name = deep ? url.searchParams.get("domain") : /(^|\.)t(elegram)?\.me$/.test(url.hostname) && url.pathname.split("/")[1];
  if (!name) {
    window.open(url, "_blank", "noopener");
    return;
  }
  if (name.toLowerCase() === page.view.bot.username.toLowerCase()) {
    write(page, `/start ${url.searchParams.get("start") ?? ""}`.trim());
    page.openPane("chat");
    return;
  }
  page.openProfile(name, url.searchParams.get("text"));
}
