// The page: three panes on a wide screen, tabs on a phone.

import { changes, get, language, me } from "./api.js";
import { chain } from "./chain.js";
import { chat } from "./chat.js";
import { named } from "./courier.js";
import { say } from "./dialogs.js";
import { phone } from "./phone.js";

const page = { run: "", user: "", view: null, refresh, openPane, openProfile };
const tabs = [...document.querySelectorAll(".tabs button")];
let running = null;
let again = false;

/** refresh loads and shows everything; calls during one run make one more. */
function refresh() {
  if (running) {
    again = true;
    return running;
  }
  running = load().finally(() => {
    running = null;
    if (again) {
      again = false;
      refresh();
    }
  });
  return running;
}

async function load() {
  try {
    let view = await look().catch((error) => (error.status === 404 ? { run: "" } : Promise.reject(error)));
    if (view.run !== page.run) { // the demo was started anew: our id is nobody there, or somebody else
      await join();
      view = await look();
    }
    page.view = view;
  } catch {
    return; // the demo is gone or starting; the next event brings it back
  }
  if (page.chat.show(page.view)) news("chat");
  if (page.phone.show()) news("phone");
  page.chain?.show();
}

function openPane(name) {
  document.getElementById("panes").dataset.tab = name;
  for (const tab of tabs) {
    tab.setAttribute("aria-pressed", String(tab.dataset.pane === name));
    if (tab.dataset.pane === name) tab.classList.remove("news");
  }
  const log = document.querySelector(`#pane-${name} .log:not(.cards)`);
  if (log) log.scrollTop = log.scrollHeight;
}

function news(name) {
  if (document.getElementById("panes").dataset.tab === name) return;
  tabs.find((tab) => tab.dataset.pane === name).classList.add("news");
}

/** openProfile opens a courier on the phone or, with a text, the ordinary chat
 * with the text ready to be sent. */
function openProfile(name, text) {
  const courier = named(page.view, name);
  if (!courier) {
    say(`Nobody here is called @${name}.`);
    return;
  }
  openPane("phone");
  text ? page.phone.letter(courier.username, text) : page.phone.profile(courier.username);
}

const look = () => get(`/demo/state?user=${page.user}&language=${language}`);

/** join makes this browser a person of the demo that runs now. */
async function join() {
  const first = await get(`/demo/state?language=${language}`);
  page.run = first.run;
  page.user = await me(first.run, first.person);
  return first;
}

async function begin() {
  const first = await join();
  page.view = { ...first, chats: [{ chat: "bot", messages: [] }] };
  page.chat = chat(page);
  page.phone = phone(page);
  if (first.chain) {
    document.getElementById("pane-chain").hidden = false;
    page.chain = chain(page);
  }
  tabs.find((tab) => tab.dataset.pane === "chain").hidden = !first.chain;
  for (const tab of tabs) tab.onclick = () => openPane(tab.dataset.pane);
  await refresh();
  for (const tab of tabs) tab.classList.remove("news");
  document.body.dataset.ready = "true";
  changes(refresh);
}

begin().catch((error) => say(error.message));
