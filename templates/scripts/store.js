// The only script that pages ask for. What a page needs beyond it is loaded by what stands in the page.
import settings from "./settings.js";
import { start } from "./cards.js";

start();
const parts = [
  ["[data-finder]", "./finder.js"],
  ["[data-face]", "./face_mark.js"],
  ["[data-product]", "./product.js"],
  ["[data-favourites]", "./favourites.js"],
  ["[data-compare]", "./compare.js"],
  ["[data-cart]", "./cart.js"],
];
for (const [selector, module] of parts) {
  if (document.querySelector(selector)) import(module).then((part) => part.start());
}

// A listing is whole without its filters, so that these come when the page has all it needs, unless the address asks
// for them.
if (document.querySelector("[data-listing]")) {
  const begin = () => import("./listing.js").then((part) => part.start());
  if (location.search !== "" || document.readyState === "complete") begin();
  else addEventListener("load", begin, { once: true });
}

// Searching needs more than all the rest, so that it waits until somebody wants to.
const box = document.querySelector("[data-search-box]");
box?.addEventListener("focusin", () => import("./search_box.js").then((part) => part.start()), { once: true });

// "/" leads to the search field, unless it is being typed somewhere, and so does Ctrl+K from everywhere (⌘K on a Mac).
addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
  const isSlash = event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey;
  const isLetter = event.key.toLowerCase() === "k" && event.ctrlKey !== event.metaKey && !event.shiftKey;
  if (!(isSlash || isLetter) || event.altKey) return;
  const field = [...document.querySelectorAll("main input[name=q], [data-search-box] input")].find((candidate) => candidate.checkVisibility());
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});

// What opens over the page closes when the keyboard leaves it: nobody should be led about behind it.
document.addEventListener("focusin", ({ target }) => {
  for (const pane of document.querySelectorAll(":popover-open")) {
    if (!pane.contains(target) && target.popoverTargetElement !== pane) pane.hidePopover();
  }
});

// A store with an offline page has a worker for it; one that has it no longer sends the worker away.
const workers = navigator.serviceWorker;
const script = `${settings.base}service-worker.js`;
if (settings.worker) workers?.register(script).catch(() => {});
else if (workers?.controller && new URL(workers.controller.scriptURL).pathname === script) retire();

async function retire() {
  const registration = await workers.getRegistration(settings.base);
  await registration?.unregister();
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(`store:${settings.base}:`)).map((name) => caches.delete(name)));
}
