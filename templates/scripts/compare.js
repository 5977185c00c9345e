// Up to four frames beside each other, read from their own pages. `?frames=a,b` shows a comparison somebody shared.
import { addressOf, button, element, fill, icon, words } from "./cards.js";
import { compared, write } from "./memory.js";
import { addressWith, eachOf, framesOf, productPage } from "./product_pages.js";
import { share } from "./share.js";

export function start() {
  const page = document.querySelector("[data-compare]");
  const place = page.querySelector("[data-comparison]");
  const bar = page.querySelector("[data-bar]");
  const empty = page.querySelector("[data-empty]");
  const shared = framesOf(location.href)?.slice(0, compared.longest);
  const isShared = shared !== undefined && shared.join() !== compared.all().map((entry) => entry.slug).join();
  let drawn = 0;
  let marks = false;

  async function show(entries) {
    drawn += 1;
    const turn = drawn;
    empty.hidden = entries.length > 0;
    place.hidden = entries.length === 0;
    tools(entries);
    if (entries.length === 0) return place.replaceChildren();
    const frames = entries.map((entry) => ({ ...entry, facts: new Map() }));
    place.replaceChildren(table(frames));
    await eachOf(frames, async (frame) => {
      const now = await productPage(frame.slug);
      frame.state = now.state;
      if (now.state === "here") Object.assign(frame, now.snapshot, { facts: factsOf(now.page) });
    });
    // Another frame may have come or gone meanwhile.
    if (turn === drawn) place.replaceChildren(table(frames));
  }

  function tools(entries) {
    if (entries.length === 0) return bar.replaceChildren();
    const slugs = entries.map((entry) => entry.slug);
    const differences = button(words.only_differences, () => {
      marks = !marks;
      differences.setAttribute("aria-pressed", marks);
      place.classList.toggle("marks-differences", marks);
    }, { "aria-pressed": marks, "data-differences": true });
    const sharing = button(words.share, () => share(document.title, addressWith(slugs)));
    const others = isShared
      ? [button(words.keep_comparison, () => keep(slugs)), element("a", { class: "button button-quiet", href: location.pathname }, words.show_own)]
      : [button(words.clear, () => {
        compared.clear();
        empty.querySelector("a").focus();
      })];
    bar.replaceChildren(differences, sharing, ...others);
  }

  async function keep(slugs) {
    const pages = await Promise.all(slugs.map(productPage));
    write("compare", pages.filter((now) => now.state === "here").map((now) => now.snapshot));
    location.assign(location.pathname);
  }

  function table(frames) {
    const rows = rowsOf(frames);
    const corner = element("td", {}, element("span", { class: "hidden" }, words.fact));
    const head = element("thead", {}, element("tr", {}, corner, ...frames.map(column)));
    const body = element("tbody", {}, ...rows.map(({ label, values }) => {
      const differs = new Set(values).size > 1;
      return element("tr", { class: differs ? "differs" : null }, element("th", { scope: "row" }, label), ...values.map(cell));
    }));
    return element("table", {}, element("caption", { class: "hidden" }, page.querySelector("h1").textContent), head, body);
  }

  function column(frame) {
    const picture = frame.picture && element("img", { src: frame.picture.src, width: frame.picture.width, height: frame.picture.height, alt: "", class: frame.picture.drawing ? "is-drawing" : null });
    const parts = [
      picture,
      frame.name ? element("a", { href: addressOf(frame.slug) }, element("bdi", {}, frame.name)) : null,
      frame.state === "gone" ? element("span", {}, words.gone) : element("span", { class: "comparison-price" }, frame.price ?? ""),
    ];
    if (!isShared) {
      const label = fill(words.remove_named, { name: frame.name });
      const remove = element("button", { type: "button", class: "icon-button", "aria-label": label, title: label }, icon("close"));
      remove.addEventListener("click", () => {
        compared.remove(frame.slug);
        (place.hidden ? empty.querySelector("a") : place).focus();
      });
      parts.push(remove);
    }
    return element("th", { scope: "col", "data-slug": frame.slug }, element("div", {}, ...parts));
  }

  if (isShared) show(shared.map((slug) => ({ slug, name: "" })));
  else compared.watch(show);
}

function cell(value) {
  if (value !== "") return element("td", {}, element("bdi", {}, value));
  return element("td", {}, element("span", { "aria-hidden": "true" }, "–"), element("span", { class: "hidden" }, words.not_known));
}

// What a product's page says, by the keys of its facts.
function factsOf(page) {
  const facts = new Map();
  for (const fact of page.querySelectorAll("[data-fact]")) {
    const { fact: key, label = fact.previousElementSibling?.textContent } = fact.dataset;
    if (!facts.has(key)) facts.set(key, { label, value: fact.textContent.trim() });
  }
  const suiting = [...page.querySelectorAll("[data-fit=high]")].map((shape) => shape.textContent.trim());
  if (page.querySelector("[data-fit]")) facts.set("suits", { label: words.suits_faces, value: suiting.join(", ") });
  return facts;
}

// The facts of all frames, each once, in the order of their pages.
function rowsOf(frames) {
  const order = [];
  const labels = new Map();
  for (const { facts } of frames) {
    const keys = [...facts.keys()];
    keys.forEach((key, at) => {
      labels.set(key, facts.get(key).label);
      if (order.includes(key)) return;
      const next = keys.slice(at).find((later) => order.includes(later));
      order.splice(next === undefined ? order.length : order.indexOf(next), 0, key);
    });
  }
  return order.map((key) => ({ label: labels.get(key), values: frames.map(({ facts }) => facts.get(key)?.value ?? "") }));
}
