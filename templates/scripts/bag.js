// Changes to what the shopper wants to have.
import { lines, setLines } from "./memory.js";

const MOST = 99;

// A line is known by its product, colour and lenses.
export const keyOf = (line) => `${line.slug}/${line.colour ?? ""}${line.lenses ? `/${line.lenses.name}` : ""}`;
// What one piece comes to, with its lenses.
export const minorOf = (line) => line.minor + (Number(line.lenses?.minor) || 0);
const within = (quantity) => Math.min(MOST, Math.max(1, Math.round(quantity) || 1));

// Adds to the line that is there already, or makes one.
export function add(line) {
  const all = lines();
  const known = all.find((other) => keyOf(other) === keyOf(line));
  if (known) Object.assign(known, line, { quantity: within(known.quantity + line.quantity) });
  else all.push({ ...line, quantity: within(line.quantity) });
  setLines(all);
}

export const change = (key, changes) => setLines(lines().map((line) => (keyOf(line) === key ? { ...line, ...changes } : line)));
export const setQuantity = (key, quantity) => change(key, { quantity: within(quantity) });
export const remove = (key) => setLines(lines().filter((line) => keyOf(line) !== key));
