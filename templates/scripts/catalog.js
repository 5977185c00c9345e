// Reads the store's index: which values and ranks products have by position, and the cards to show them with.
import settings from "./settings.js";

const root = settings.root;
const ask = async (path, options) => {
  const answer = await fetch(root + path, options);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer;
};

// Everything is loaded once, and again only if it failed.
const kept = new Map();
export function load(path, read, options) {
  if (!kept.has(path)) {
    const loading = ask(path, options).then(read);
    loading.catch(() => kept.delete(path));
    kept.set(path, loading);
  }
  return kept.get(path);
}

const json = (answer) => answer.json();
// What changes with the products is asked for anew in every page; what it points at carries its version.
export const summary = () => load("index/facets.json", json, { cache: "no-cache" });
export const searchSummary = () => load("search/index.json", json, { cache: "no-cache" });
export const searchFile = (path) => load(path, json);

// Values of characters: printable ASCII from "#", without the backslash.
const value = (code) => code - 35 - (code > 92 ? 1 : 0);

// Numbers of a fixed width.
function fixed(text, count) {
  const width = count > 0 ? text.length / count : 1;
  const numbers = new Uint32Array(count);
  for (let at = 0, place = 0; at < count; at++) {
    let number = 0;
    for (let digit = 0; digit < width; digit++, place++) number = number * 90 + value(text.charCodeAt(place));
    numbers[at] = number;
  }
  return numbers;
}

// Distances of as many characters as they need, as positions.
export function positions(text) {
  const found = [];
  let high = 0;
  let position = 0;
  for (let at = 0; at < text.length; at++) {
    const digit = value(text.charCodeAt(at));
    if (digit < 60) {
      position += high * 60 + digit;
      found.push(position);
      high = 0;
    } else {
      high = high * 30 + (digit - 60) + 1;
    }
  }
  return found;
}

// For each product the number of its set of values.
export async function column(facet) {
  const { count } = await summary();
  return load(facet.file, async (answer) => {
    const [sets, codes] = await answer.json();
    return { sets, codes: fixed(codes, count) };
  });
}

// For each product its rank in an order, and how many ranks there are.
export async function ranks(name) {
  const { count, orders } = await summary();
  return load(orders[name], async (answer) => {
    const [size, codes] = await answer.json();
    return { size, ranks: fixed(codes, count) };
  });
}

// The cards of products by position, as elements, in the order asked for.
export async function cards(indices) {
  const { block, cards: version } = await summary();
  const blocks = (number) => load(`index/cards/${number}.txt?v=${version}`, async (answer) => (await answer.text()).split("\u001e"));
  const holder = document.createElement("template");
  const texts = await Promise.all(indices.map(async (index) => (await blocks(Math.floor(index / block)))[index % block]));
  // The server made and escaped these cards; they are the same as those in its pages.
  holder.innerHTML = texts.join("");
  return [...holder.content.children];
}
