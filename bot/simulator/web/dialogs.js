// Short notices, alerts, pictures, the clipboard.

const $ = (id) => document.getElementById(id);
let timer;

/** say shows a notice that goes away by itself. */
export function say(text) {
  const toast = $("toast");
  toast.textContent = text;
  toast.classList.add("on");
  clearTimeout(timer);
  timer = setTimeout(() => toast.classList.remove("on"), Math.max(3200, text.length * 60));
}

export function showAlert(text) {
  $("alert-text").textContent = text;
  $("alert").showModal();
}

export function showPicture(source, text) {
  $("viewer-picture").src = source;
  $("viewer-picture").alt = text;
  $("viewer-text").textContent = text;
  $("viewer").showModal();
}

$("viewer").addEventListener("click", (event) => {
  if (event.target === $("viewer")) $("viewer").close();
});

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied: ${text}`);
  } catch {
    say(`The browser does not let me copy. Here it is:\n${text}`);
  }
}
