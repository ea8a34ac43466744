// The chain: a wallet, the next block, the door.

import { get, post } from "./api.js";
import { copy, say } from "./dialogs.js";
import { pictureURL } from "./message.js";
import { newest } from "./phone.js";
import { clock, element, reconcile, short } from "./text.js";

const $ = (id) => document.getElementById(id);
const everyMs = 2000;

/** chain runs the right pane. */
export function chain(page) {
  const state = { view: null, paidAt: 0, filled: null, ticket: "", doorChosen: false };
  $("next-block").onclick = () => busy($("next-block"), async () => {
    await post("/demo/block");
    await load(page, state);
  });
  $("pay-form").onsubmit = (event) => { event.preventDefault(); pay(page, state); };
  $("door-form").onsubmit = (event) => { event.preventDefault(); scan(page); };
  $("door").onchange = () => { state.doorChosen = true; };
  $("wallet-copy").onclick = () => copy($("wallet-address").textContent);
  $("wallet-send").onclick = () => { page.chat.write($("wallet-address").textContent); page.openPane("chat"); };
  for (const id of ["pay-address", "pay-amount"]) {
    $(id).addEventListener("input", () => { $("pay-hint").textContent = ""; outcome("", ""); });
  }
  setInterval(() => { if (!document.hidden) load(page, state); }, everyMs);
  load(page, state);
  return { show: () => show(page, state) };
}

async function load(page, state) {
  try {
    state.view = await get("/demo/chain");
  } catch {
    return; // shown again at the next turn
  }
  show(page, state);
}

function show(page, state) {
  const v = state.view;
  if (v) {
    $("network").textContent = v.network;
    for (const unit of document.querySelectorAll(".unit")) unit.textContent = v.unit;
    $("height").textContent = v.height.toLocaleString();
    $("height").dataset.height = v.height;
    $("wallet-balance").textContent = v.wallet.balance;
    $("wallet-address").textContent = v.wallet.address;
    if (state.paidAt && v.height > state.paidAt) {
      state.paidAt = 0;
      outcome(`Paid, in block ${v.height.toLocaleString()}.`, "good");
    }
    doors(v.doors ?? []);
    reconcile($("blocks"), blocks(v));
  }
  prefill(page.view, state);
  ticket(page.view, state);
}

/** prefill takes address and sum from the newest card that offers them. */
function prefill(view, state) {
  const card = view.chats.find((c) => c.chat === "bot").messages.findLast((m) => m.buttons.some((b) => b.copy));
  const copies = card ? card.buttons.map((b) => b.copy).filter(Boolean) : [];
  const address = copies.find((c) => /^[1-9A-HJ-NP-Za-km-z]{26,36}$/.test(c));
  const amount = copies.find((c) => /^\d+(\.\d{1,8})?$/.test(c));
  const offered = address && amount ? `${address} ${amount}` : "";
  if (offered === state.filled) return;
  state.filled = offered;
  $("pay-address").value = address ?? "";
  $("pay-amount").value = amount ?? "";
  $("pay-hint").textContent = offered ? "Filled in from the bot's card." : "Filled in by itself once the bot asks for a payment.";
  outcome("", "");
}

async function busy(button, run) {
  button.disabled = true;
  try {
    await run();
  } catch (error) {
    say(error.message);
  } finally {
    button.disabled = false;
  }
}

function outcome(text, kind) {
  $("pay-outcome").textContent = text;
  $("pay-outcome").className = `outcome ${kind}`;
}

async function pay(page, state) {
  $("pay").disabled = true;
  try {
    const sent = await post("/demo/pay", { address: $("pay-address").value.trim(), amount: $("pay-amount").value.trim() });
    outcome(`Sent. Transaction ${sent.transactionId.slice(0, 12)}… waits for the next block.`, "good");
    state.paidAt = state.view?.height ?? 0;
    $("pay-address").value = $("pay-amount").value = $("pay-hint").textContent = "";
    await load(page, state);
  } catch (error) {
    outcome(error.message, "bad");
  } finally {
    $("pay").disabled = false;
  }
}

function doors(list) {
  const select = $("door");
  if (select.options.length === list.length && list.every((d, i) => select.options[i].value === d.address)) return;
  const chosen = select.value;
  select.replaceChildren(...list.map((d) => element("option", { value: d.address }, d.name)));
  if (list.some((d) => d.address === chosen)) select.value = chosen;
}

/** ticket shows what would be scanned, and picks the door that it names. */
function ticket(view, state) {
  const m = newest(view);
  $("ticket").hidden = !m;
  $("no-ticket").hidden = Boolean(m);
  if (!$("scan").dataset.busy) $("scan").disabled = !m;
  const key = m ? `${m.id} ${m.date}` : "";
  if (!m || state.ticket === key) return;
  state.ticket = key;
  $("ticket-picture").src = pictureURL(m);
  $("ticket-text").textContent = m.text;
  $("verdict").replaceChildren();
  const named = [...$("door").options].find((o) => m.text.includes(o.textContent));
  if (named && !state.doorChosen) $("door").value = named.value;
}

async function scan(page) {
  const m = newest(page.view);
  if (!m) return;
  $("scan").disabled = true;
  $("scan").dataset.busy = "1";
  try {
    verdict(await post("/demo/scan", { picture: m.picture, address: $("door").value }));
  } catch (error) {
    verdict({ opens: false, results: [], error: error.message });
  } finally {
    delete $("scan").dataset.busy;
    $("scan").disabled = false;
  }
}

const words = {
  valid: "valid", denied: "not valid", faulted: "the scanner fails", refused: "refused", "no-answer": "the scanner gives no answer",
};

function verdict(v) {
  const lines = (v.results ?? []).map((r) => element("span", { data: { verdict: r.verdict } },
    [r.seat && `Seat ${r.seat}`, words[r.verdict] ?? r.verdict, r.name, r.reason].filter(Boolean).join(" · ")));
  if (v.error) lines.push(element("span", {}, v.error));
  $("verdict").replaceChildren(element("div", {
    className: `verdict ${v.opens ? "opens" : "shut"}`, data: { opens: String(v.opens) },
  }, element("b", {}, v.opens ? "The door opens" : "The door stays shut"), ...lines));
  $("verdict").scrollIntoView({ block: "nearest" });
}

function blocks(v) {
  const list = [];
  if (v.waiting?.length) {
    list.push({ key: "waiting", state: short(v.waiting), make: () => block("Waiting for the next block", "", v.waiting, "pending") });
  }
  for (const b of v.blocks ?? []) {
    list.push({
      key: `b${b.height}`, state: short(b),
      make: () => block(b.height.toLocaleString(), clock(b.time), b.transactions ?? [], ""),
    });
  }
  return list;
}

function block(name, time, transactions, className) {
  return element("li", { className },
    element("div", { className: "row" }, element("b", {}, name), element("span", {}, time)),
    ...transactions.map((t) => element("div", { className: "tx" }, element("span", {}, t.what), element("span", { className: "mono", title: t.id }, `${t.id.slice(0, 8)}…`))));
}
