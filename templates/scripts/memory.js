// What this browser remembers for the shopper: favourites, frames to compare, the face shape. Nothing of it is sent.
import settings from "./settings.js";

// Stores of the same origin keep apart by their root.
const keyOf = (name) => `store:${settings.base}:${name}`;
const watchers = new Map();
// Where storage is full or refused, things are remembered for as long as the page is open.
const unstored = new Map();

export function read(name, fallback) {
  if (unstored.has(name)) return unstored.get(name);
  try {
    const text = localStorage.getItem(keyOf(name));
    return text === null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

export function write(name, value) {
  try {
    localStorage.setItem(keyOf(name), JSON.stringify(value));
    unstored.delete(name);
  } catch {
    unstored.set(name, value);
  }
  tell(name);
}

// Calls `watcher` now, and whenever the value changes, in this window or in another one.
export function watch(name, fallback, watcher) {
  const all = watchers.get(name) ?? [];
  const call = () => watcher(read(name, fallback));
  watchers.set(name, [...all, call]);
  call();
}

function tell(name) {
  for (const call of watchers.get(name) ?? []) call();
}

addEventListener("storage", (event) => {
  for (const name of watchers.keys()) if (event.key === null || event.key === keyOf(name)) tell(name);
});

// A list of product snapshots under a name; the newest comes first.
export function list(name, longest = 200) {
  const all = () => {
    const value = read(name, []);
    return Array.isArray(value) ? value.filter((entry) => typeof entry?.slug === "string") : [];
  };
  const has = (slug) => all().some((entry) => entry.slug === slug);
  const remove = (slug) => write(name, all().filter((entry) => entry.slug !== slug));
  const add = (entry) => write(name, [entry, ...all().filter((other) => other.slug !== entry.slug)].slice(0, longest));
  const clear = () => write(name, []);
  return { all, has, add, remove, clear, longest, watch: (watcher) => watch(name, [], () => watcher(all())) };
}

// What is to be bought: lines of a product, its colour, its lenses and a quantity.
const isLine = (line) => typeof line?.slug === "string" && Number.isInteger(line.quantity) && line.quantity > 0;

export function lines() {
  const value = read("cart", []);
  return Array.isArray(value) ? value.filter(isLine) : [];
}

export const setLines = (all) => write("cart", all);
export const watchLines = (watcher) => watch("cart", [], () => watcher(lines()));

export const favourites = list("favourites");
export const compared = list("compare", 4);
export const recent = list("recent", 12);
