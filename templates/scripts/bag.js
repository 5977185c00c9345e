// What the shopper wants to have: lines of a product, its colour, its lenses and a quantity, kept in this browser.
import { number } from "./cards.js";
import { read, watch, write } from "./memory.js";

const MOST = 99;
const NAME = "cart";

// A line is known by its product, colour and lenses.
export const keyOf = (line) => `${line.slug}/${line.colour ?? ""}${line.lenses ? `/${line.lenses.name}` : ""}`;
// What one piece comes to, with its lenses.
export const minorOf = (line) => line.minor + (Number(line.lenses?.minor) || 0);
const isLine = (line) => typeof line?.slug === "string" && Number.isInteger(line.quantity) && line.quantity > 0;
const within = (quantity) => Math.min(MOST, Math.max(1, Math.round(quantity) || 1));

export function lines() {
  const value = read(NAME, []);
  return Array.isArray(value) ? value.filter(isLine) : [];
}

export const set = (all) => write(NAME, all);

// Adds to the line that is there already, or makes one.
export function add(line) {
  const all = lines();
  const known = all.find((other) => keyOf(other) === keyOf(line));
  if (known) Object.assign(known, line, { quantity: within(known.quantity + line.quantity) });
  else all.push({ ...line, quantity: within(line.quantity) });
  set(all);
}

export const change = (key, changes) => set(lines().map((line) => (keyOf(line) === key ? { ...line, ...changes } : line)));
export const setQuantity = (key, quantity) => change(key, { quantity: within(quantity) });
export const remove = (key) => set(lines().filter((line) => keyOf(line) !== key));
export const watchLines = (watcher) => watch(NAME, [], () => watcher(lines()));

// Keeps the number in the header.
export function start() {
  watchLines((all) => {
    const count = all.reduce((sum, line) => sum + line.quantity, 0);
    for (const badge of document.querySelectorAll("[data-count=cart]")) badge.textContent = count > 0 ? number(count) : "";
  });
}
