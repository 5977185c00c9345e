// Product cards: a heart, a mark for comparing, and a note where a frame suits the shopper's face.
import settings from "./settings.js";
import { compared, favourites, watch, watchLines } from "./memory.js";

export const words = settings.words;

// Puts values in the place of {placeholders}.
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

// "1 frame" and "24 frames": the text of a key in the plural form that the language has for the number.
const plurals = new Intl.PluralRules(settings.locale);
export const counted = (count, key) => fill(words[`${key}_${plurals.select(count)}`] ?? words[`${key}_other`], { count: number(count) });
const format = new Intl.NumberFormat(settings.locale);
export const number = (value) => format.format(value);

// Makes an element: attributes as they are, a text or elements inside. Nothing is ever read as HTML.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// A quiet button that does something.
export function button(text, action, attributes = {}) {
  const made = element("button", { type: "button", class: "button button-quiet", ...attributes }, text);
  made.addEventListener("click", action);
  return made;
}

// An icon of the sprite that stands once in every page.
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

// Says something to those who do not see it happen.
export function announce(text) {
  const region = document.querySelector("[data-announce]");
  if (region) region.textContent = text;
}

// What is remembered of a product, taken from its card or from its page.
export function snapshotOf(holder) {
  const picture = holder.querySelector("img");
  const text = (selector) => holder.querySelector(selector)?.textContent.trim() ?? "";
  return {
    slug: holder.dataset.slug,
    name: text("[data-name]"),
    brand: text("[data-brand]"),
    price: text("[data-price]"),
    picture: picture && { src: picture.getAttribute("src"), width: picture.width, height: picture.height, drawing: picture.closest(".has-drawing") !== null },
  };
}

// The address of a product's page.
export const addressOf = (slug) => `${settings.root}products/${encodeURIComponent(slug)}/`;

// A card made from a snapshot, with the server's markup.
export function cardOf(snapshot) {
  const picture = snapshot.picture && element("img", { src: snapshot.picture.src, width: snapshot.picture.width, height: snapshot.picture.height, alt: "", loading: "lazy", decoding: "async" });
  return element("li", { class: "card", "data-slug": snapshot.slug },
    element("div", { class: snapshot.picture?.drawing ? "card-picture has-drawing" : "card-picture" }, picture),
    snapshot.brand ? element("p", { class: "card-brand", "data-brand": true }, element("bdi", {}, snapshot.brand)) : null,
    element("h3", { class: "card-name" }, element("a", { href: addressOf(snapshot.slug) }, element("bdi", { "data-name": true }, snapshot.name))),
    element("p", { class: "card-price" }, element("span", { "data-price": true }, snapshot.price)));
}

// Adds what needs scripts to every card below an element that does not have it yet.
export function dress(root = document) {
  for (const card of root.querySelectorAll(".card[data-slug]:not([data-dressed])")) {
    card.dataset.dressed = "";
    const name = card.querySelector("[data-name]")?.textContent.trim() ?? "";
    card.append(element("div", { class: "card-tools" },
      toggle(favourites, card, "heart", fill(words.save_named, { name })),
      toggle(compared, card, "compare", fill(words.compare_named, { name }))));
  }
  mark(root);
}

// A button that puts a product on a list and takes it off again.
export function toggle(list, holder, iconName, label, text) {
  const button = element("button", { type: "button", class: text ? "tool-button" : "icon-button", "aria-label": text ? null : label, title: text ? null : label, "data-list": iconName, "data-for": holder.dataset.slug }, icon(iconName), text ? element("span", {}, text) : null);
  button.setAttribute("aria-pressed", list.has(holder.dataset.slug));
  button.addEventListener("click", () => {
    const { slug } = holder.dataset;
    if (list.has(slug)) {
      list.remove(slug);
      announce(fill(words.taken_off, { name: snapshotOf(holder).name }));
    } else if (list === compared && list.all().length >= list.longest) {
      announce(fill(words.compare_full, { count: number(list.longest) }));
      document.querySelector(".compare-tray")?.classList.add("is-full");
    } else {
      list.add(snapshotOf(holder));
      announce(fill(list === compared ? words.added_to_compare : words.added_to_favourites, { name: snapshotOf(holder).name }));
    }
  });
  return button;
}

function mark(root = document) {
  for (const [list, name] of [[favourites, "heart"], [compared, "compare"]]) {
    const slugs = new Set(list.all().map((entry) => entry.slug));
    for (const button of root.querySelectorAll(`[data-list="${name}"]`)) button.setAttribute("aria-pressed", slugs.has(button.dataset.for));
  }
  suits(face, root);
}

// Marks the frames that suit the shopper's face shapes.
let face = [];
function suits(shapes, root = document) {
  face = Array.isArray(shapes) ? shapes : [];
  for (const card of root.querySelectorAll(".card[data-suits]")) {
    const suiting = card.dataset.suits.split(" ").filter((shape) => face.includes(shape));
    const old = card.querySelector(".card-suits");
    if (suiting.length === 0) old?.remove();
    else if (!old) card.querySelector(".card-picture").append(element("span", { class: "card-suits" }, words.suits_your_face));
  }
}

// The bar that leads to the comparison as soon as there is something to compare.
function tray(entries) {
  let bar = document.querySelector(".compare-tray");
  if (entries.length === 0 || document.querySelector("[data-compare]")) return bar?.remove();
  if (!bar) {
    const clear = element("button", { type: "button", class: "button button-quiet" }, words.clear);
    clear.addEventListener("click", () => {
      compared.clear();
      document.querySelector("main").focus({ preventScroll: true });
    });
    bar = element("aside", { class: "compare-tray", "aria-label": words.compare }, element("p", {}), element("a", { class: "button", href: `${settings.root}compare/` }, words.compare), clear);
    document.body.append(bar);
  }
  bar.classList.remove("is-full");
  bar.querySelector("p").textContent = counted(entries.length, "to_compare");
}

export function start() {
  dress();
  favourites.watch((entries) => {
    mark();
    for (const badge of document.querySelectorAll("[data-count=favourites]")) {
      badge.textContent = entries.length > 0 ? number(entries.length) : "";
    }
  });
  compared.watch((entries) => {
    mark();
    tray(entries);
  });
  watchLines((all) => {
    const count = all.reduce((sum, line) => sum + line.quantity, 0);
    for (const badge of document.querySelectorAll("[data-count=cart]")) badge.textContent = count > 0 ? number(count) : "";
  });
  watch("face", [], (shapes) => suits(shapes));
}
