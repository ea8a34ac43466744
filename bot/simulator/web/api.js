// What the page asks of its server, and who the visitor is.

export class ServerError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function get(path) {
  return read(await fetch(path));
}

export async function post(path, body = {}) {
  return read(await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  }));
}

async function read(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new ServerError(response.status, body.error || `The demo answered ${response.status}.`);
  return body;
}

const remembered = "usher-demo-person";

/** language is the visitor's, as Telegram has it: "en", "de", … */
export const language = (navigator.language || "en").split("-")[0];

/** me is the id of the person that this browser is in this run of the demo; a
 * new one where needed. */
export async function me(run, name) {
  const [known, id] = (localStorage.getItem(remembered) || "").split(" ");
  return known === run ? id : newPerson(run, name);
}

export async function newPerson(run, name) {
  const { id } = await post("/telegram/users", { name, language });
  localStorage.setItem(remembered, `${run} ${id}`);
  return String(id);
}

/** changes calls back whenever something may have changed. */
export function changes(callback) {
  const events = new EventSource("/demo/events");
  events.onmessage = callback;
}
