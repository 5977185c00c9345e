// Suggestions below the search field in the header while one types. Loaded when the field is first entered.
import settings from "./settings.js";
import { cards, summary } from "./catalog.js";
import { addressOf, announce, counted, element, fill, words } from "./cards.js";
import { highlight, queryWords, search } from "./search.js";
import { wordsOf } from "./words.js";

const suggested = 6;
const pageOf = { face: "face-shapes", shape: "shapes", type: "types", brand: "brands" };

export function start() {
  const form = document.querySelector("[data-search-box]");
  const field = form.querySelector("input");
  const list = form.querySelector("[role=listbox]");

  let active = -1;
  let turn = 0;
  const options = () => [...list.querySelectorAll("[role=option]:not([aria-disabled])")];
  const point = (at) => {
    const all = options();
    active = all.length === 0 ? -1 : (at + all.length + 1) % (all.length + 1) === all.length ? -1 : (at + all.length + 1) % (all.length + 1);
    all.forEach((option, index) => option.setAttribute("aria-selected", index === active));
    if (active < 0) field.removeAttribute("aria-activedescendant");
    else {
      field.setAttribute("aria-activedescendant", all[active].id);
      all[active].scrollIntoView({ block: "nearest" });
    }
  };
  const close = () => {
    turn++;
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
    active = -1;
  };

  const suggest = async () => {
    const mine = ++turn;
    const query = field.value.trim();
    if (queryWords(query).length === 0 || query.length < 2) return close();
    for await (const found of search(query)) {
      const places = await placesFor(query);
      const shown = await cards([...found.hits.slice(0, suggested)]);
      if (mine !== turn) return;
      highlight(shown, found.words);
      const entries = [...places, ...shown.map(product)];
      entries.forEach((option, at) => (option.id = `suggestion-${at}`));
      const foot = element("a", { class: "suggestion suggestion-all", role: "option", "aria-selected": "false", tabindex: "-1", id: `suggestion-${entries.length}`, href: `${form.action}?q=${encodeURIComponent(query)}` }, fill(words.see_results, { frames: counted(found.hits.length, "frames") }));
      list.replaceChildren(...(entries.length > 0 ? [...entries, foot] : [element("div", { class: "suggestion", role: "option", "aria-disabled": "true" }, words.no_frames)]));
      list.hidden = false;
      field.setAttribute("aria-expanded", "true");
      active = -1;
      field.removeAttribute("aria-activedescendant");
      announce(counted(found.hits.length, "frames"));
    }
  };

  let waiting = 0;
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => suggest().catch(close), 60);
  };
  field.addEventListener("input", soon);
  field.addEventListener("focus", () => field.value.trim() !== "" && soon());
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) soon();
      else point(active + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      options()[active].click();
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
  });
  form.addEventListener("focusout", (event) => {
    if (!form.contains(event.relatedTarget)) close();
  });
  // A press on a suggestion must not take the focus from the field before it is followed.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  // Somebody may have typed while this was loaded.
  if (field.value.trim() !== "") soon();
}

// Listings whose names hold all of the query's words.
async function placesFor(query) {
  const asked = queryWords(query);
  const { facets } = await summary();
  const fitting = facets.filter(({ key }) => key in pageOf).flatMap((facet) => facet.values.filter(([, label, count]) => {
    const named = wordsOf(label);
    return count > 0 && asked.every((word) => named.some((other) => other.startsWith(word)));
  }).map(([key, label, count]) => ({ facet, key, label, count })));
  return fitting.sort((a, b) => b.count - a.count).slice(0, 3).map(({ facet, key, label, count }) => element("a", { class: "suggestion", role: "option", "aria-selected": "false", tabindex: "-1", href: `${settings.root}${pageOf[facet.key]}/${key}/` },
    element("span", { class: "suggestion-kind" }, facet.label), element("bdi", {}, label), element("small", {}, counted(count, "frames"))));
}

function product(card) {
  const picture = card.querySelector("img").cloneNode();
  picture.loading = "eager";
  picture.sizes = "4rem";
  const text = (selector, name) => {
    const part = card.querySelector(selector);
    return part && element("span", { class: name }, ...[...part.childNodes].map((node) => node.cloneNode(true)));
  };
  return element("a", { class: "suggestion suggestion-product", role: "option", "aria-selected": "false", tabindex: "-1", href: addressOf(card.dataset.slug) },
    picture, element("span", {}, text("[data-name]", "suggestion-name"), text("[data-brand]", "suggestion-brand")), text("[data-price]", "suggestion-price"));
}
