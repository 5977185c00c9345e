// Filters, orders and pages of a listing, and the results of a search. What is shown is in the address, so that it can
// be shared and gone back to; without a choice the page stays as the server made it.
import settings from "./settings.js";
import { cards, column, ranks, summary } from "./catalog.js";
import { button, counted, dress, element, fill, icon, number, words } from "./cards.js";
import { counts, narrow, ordered, passing, withoutFacet } from "./narrowing.js";
import { read, watch } from "./memory.js";

// Values of a facet that are shown before one asks for all.
const shortList = 8;
// Facets that are open from the start.
const openFacets = 4;

const place = document.querySelector("[data-listing]");
const panel = document.querySelector("[data-filters]");
const results = place.querySelector("[data-results]");
const status = place.querySelector("[data-status]");
const sorting = place.querySelector("[data-sort]");
const isSearch = "search" in place.dataset;
const served = { nodes: [...results.childNodes], status: status.textContent, path: location.pathname };
const all = (count) => Uint32Array.from({ length: count }, (_, at) => at);

let facets = [];
let state = stateOf(location);
// The products that the listing is about, before anything is chosen.
let base = null;
let found = null;
// Whether the page shows what the server put into it.
let isAsServed = true;
// Answers that come late must not undo a newer one.
let turn = 0;

function stateOf(address) {
  const parameters = new URLSearchParams(address.search);
  const chosen = new Map();
  for (const [key, text] of parameters) {
    if (!["q", "sort", "page"].includes(key)) chosen.set(key, new Set(text.split(",").filter((value) => value !== "")));
  }
  const page = Number.parseInt(parameters.get("page") ?? "1", 10);
  return { query: isSearch ? (parameters.get("q") ?? "").trim() : "", chosen, sort: parameters.get("sort") ?? "", page: page > 0 ? page : 1 };
}

// Old links name values that are gone; nothing has them, so that nobody would see anything.
function known(some) {
  const chosen = new Map();
  for (const { key, values } of facets) {
    const kept = [...(some.chosen.get(key) ?? [])].filter((value) => values.some(([is]) => is === value));
    if (kept.length > 0) chosen.set(key, new Set(kept));
  }
  return { ...some, chosen };
}

function addressOf(next) {
  const parameters = new URLSearchParams();
  if (next.query) parameters.set("q", next.query);
  for (const { key } of facets) if (next.chosen.get(key)?.size) parameters.set(key, [...next.chosen.get(key)].sort().join(","));
  if (next.sort) parameters.set("sort", next.sort);
  if (next.page > 1) parameters.set("page", next.page);
  // Commas separate values; they need no escape.
  const text = parameters.toString().replaceAll("%2C", ",");
  return place.dataset.first + (text ? `?${text}` : "");
}

const isPlain = (some) => !isSearch && some.sort === "" && some.page === 1 && facets.every(({ key }) => !some.chosen.get(key)?.size);

const shortAddressOf = (some) => (isPlain(some) && served.path === place.dataset.first ? served.path : addressOf(some));

function go(next, how = "push") {
  state = next;
  const address = shortAddressOf(next);
  if (how === "push") history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  return show();
}

// ---- The facets

const listed = (facet) => facet.key !== place.dataset.facet;

function draw() {
  const groups = facets.filter(listed).map((facet, at) => {
    const values = element("div", { class: "facet-values" });
    const set = element("fieldset", {}, element("legend", { class: "hidden" }, facet.label), values);
    facet.boxes = facet.values.map(([key, label, count, extra]) => {
      const box = element("input", { type: "checkbox", name: facet.key, value: key });
      const shade = typeof extra === "string" ? swatch(extra) : null;
      const tally = element("span", { class: "facet-count" }, number(count));
      const row = element("label", { class: "facet-value" }, box, shade, element("span", { class: "facet-label" }, element("bdi", {}, label)), " ", tally);
      if (typeof extra === "number" && extra > 0) row.classList.add(`facet-deep-${Math.min(extra, 3)}`);
      box.addEventListener("change", () => choose(facet, key, box.checked));
      values.append(row);
      const entry = { key, label, box, tally, row };
      for (const sign of ["pointerenter", "pointerdown"]) row.addEventListener(sign, () => foresee(facet, entry).catch(() => {}));
      return entry;
    });
    if (facet.values.length > shortList + 2) {
      const more = element("button", { type: "button", class: "facet-more", "aria-expanded": "false" });
      more.addEventListener("click", () => {
        const isOpen = more.getAttribute("aria-expanded") === "true";
        more.setAttribute("aria-expanded", !isOpen);
        more.textContent = words.show_fewer;
        facet.isLong = !isOpen;
        shorten(facet);
      });
      set.append(more);
      facet.more = more;
    }
    const isOpen = at < openFacets || state.chosen.get(facet.key)?.size > 0;
    facet.group = element("details", { class: "facet", open: isOpen }, element("summary", {}, element("span", {}, facet.label)), set);
    facet.isOpen = isOpen;
    facet.group.addEventListener("toggle", () => {
      // Browsers also tell of groups that are open from the start.
      if (facet.group.open && !facet.isOpen) show();
      facet.isOpen = facet.group.open;
    });
    shorten(facet);
    return facet.group;
  });
  const clear = element("button", { type: "button", class: "facet-clear", "data-clear": true, hidden: true }, words.clear_filters);
  clear.addEventListener("click", clearAll);
  panel.replaceChildren(clear, ...groups);
}

function swatch(color) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", "facet-swatch");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, value] of [["cx", 8], ["cy", 8], ["r", 7], ["fill", color]]) circle.setAttribute(name, value);
  svg.append(circle);
  return svg;
}

// Hides what the listing has nothing of, and what is beyond the short list unless it is chosen.
function shorten(facet) {
  const isUseful = (value) => value.box.checked || value.inBase !== 0;
  const useful = facet.boxes.filter(isUseful).length;
  if (facet.more) {
    facet.more.hidden = useful <= shortList;
    if (!facet.isLong) facet.more.textContent = fill(words.show_all, { count: number(useful) });
  }
  let shown = 0;
  for (const value of facet.boxes) {
    const isHidden = !isUseful(value) || (!facet.isLong && !value.box.checked && shown >= shortList && facet.more);
    if (value.row.hidden !== Boolean(isHidden)) value.row.hidden = Boolean(isHidden);
    if (!isHidden) shown++;
  }
}

function chosenWith(facet, key, isChosen) {
  const values = new Set(state.chosen.get(facet.key));
  if (isChosen) values.add(key);
  else values.delete(key);
  return new Map(state.chosen).set(facet.key, values);
}

function choose(facet, key, isChosen) {
  return go({ ...state, chosen: chosenWith(facet, key, isChosen), page: 1 });
}

async function clearAll(event) {
  const isInPanel = panel.contains(event.currentTarget);
  await go({ ...state, chosen: new Map(), page: 1 });
  catchFocus(isInPanel ? panel.querySelector("summary") : results);
}

// A control that has done its work may be gone, and the keyboard's place with it.
function catchFocus(next) {
  if (document.activeElement === null || document.activeElement === document.body) next.focus();
}

// ---- The products

// What the listing is about: all products, those of its own facet's value, or those that a search found.
async function baseOf(count) {
  if (isSearch) return found?.hits ?? new Uint32Array();
  const own = facets.find((facet) => facet.key === place.dataset.facet);
  if (!own) return all(count);
  const { sets, codes } = await column(own);
  const at = own.values.findIndex(([key]) => key === place.dataset.value);
  const passes = passing(sets, [at], false);
  return all(count).filter((index) => passes[codes[index]] === 1);
}

async function sortedHits(hits, sort) {
  const face = read("face", []);
  const own = place.dataset.facet === "face" ? [place.dataset.value] : [];
  const [name, shapes] = sort === "face" ? ["", face] : [sort, sort === "" ? own : []];
  if (shapes.length > 0) {
    const fits = await Promise.all(shapes.map((shape) => ranks(`fit-${shape}`)));
    const best = (hit) => fits.reduce((rank, fit) => Math.min(rank, fit.ranks[hit]), Infinity);
    return ordered(hits, best, Math.max(...fits.map(({ size }) => size)), false);
  }
  const [order, isDescending] = name === "price-asc" ? ["price", false] : name === "price-desc" ? ["price", true] : [name, false];
  if (!["price", "newest", "name", "popular"].includes(order)) return hits;
  const { size, ranks: byProduct } = await ranks(order);
  return ordered(hits, (hit) => byProduct[hit], size, isDescending);
}

async function show() {
  const mine = ++turn;
  const isCurrent = () => mine === turn;
  results.setAttribute("aria-busy", "true");
  try {
    await update(isCurrent);
  } catch (error) {
    if (!isCurrent()) return;
    const again = element("button", { type: "button", class: "button" }, words.try_again);
    again.addEventListener("click", show);
    results.replaceChildren(element("div", { class: "empty" }, element("p", {}, words.not_loaded), element("p", {}, again)));
    console.warn(error);
  } finally {
    if (isCurrent()) results.removeAttribute("aria-busy");
  }
}

// What a choice comes to: the facets in use, the products that pass, and their order.
async function resultOf(some) {
  const { count } = await summary();
  if (base === null) base = await baseOf(count);
  const active = facets.filter((facet) => listed(facet) && some.chosen.get(facet.key)?.size > 0);
  const chosen = await Promise.all(active.map(async (facet) => {
    const { sets, codes } = await column(facet);
    const values = [...some.chosen.get(facet.key)].map((key) => facet.values.findIndex(([known]) => known === key));
    return { codes, passes: passing(sets, values, facet.all) };
  }));
  const narrowed = narrow(base, chosen);
  return { active, narrowed, hits: await sortedHits(narrowed.hits, some.sort) };
}

async function update(isCurrent) {
  for (const facet of facets.filter(listed)) {
    for (const value of facet.boxes) value.box.checked = state.chosen.get(facet.key)?.has(value.key) ?? false;
  }
  const { active, narrowed, hits } = await resultOf(state);
  if (!isCurrent()) return;
  sorting.value = [...sorting.options].some((option) => option.value === state.sort) ? state.sort : "";
  tell(narrowed.hits.length, active);
  await Promise.all([list(hits, narrowed, active, isCurrent), tally(narrowed, active, isCurrent)]);
}

// A pointer on a box says what may be asked next: its cards are loaded while the hand is still on the way.
async function foresee(facet, { key, box }) {
  if (base === null || box.disabled) return;
  const next = { ...state, chosen: chosenWith(facet, key, !box.checked), page: 1 };
  const { hits } = await resultOf(next);
  await cards([...hits.slice(0, settings.perPage)]);
}

// Counts for the facets that are open; of the others nothing has to be loaded.
async function tally(narrowed, active, isCurrent) {
  const isWhole = !isSearch && !place.dataset.facet && active.length === 0;
  await Promise.all(facets.filter((facet) => listed(facet) && facet.group.open).map(async (facet) => {
    const loaded = isWhole ? null : await column(facet);
    if (!isCurrent()) return;
    const own = active.indexOf(facet);
    const now = loaded ? counts(narrowed, loaded, facet.values.length, own, facet.all) : facet.values.map(([, , count]) => count);
    if (active.length === 0) facet.boxes.forEach((value, at) => (value.inBase = now[at]));
    else if (loaded && facet.boxes.some((value) => value.inBase === undefined)) {
      const whole = counts(narrow(narrowed.base, []), loaded, facet.values.length, -1, facet.all);
      facet.boxes.forEach((value, at) => (value.inBase = whole[at]));
    }
    facet.boxes.forEach((value, at) => {
      if (value.now === now[at]) return;
      value.now = now[at];
      value.tally.textContent = number(now[at]);
      value.box.disabled = now[at] === 0 && !value.box.checked && value.box !== document.activeElement;
    });
    shorten(facet);
  }));
}

// Says how many there are, and shows what is chosen.
function tell(count, active) {
  const isServed = isPlain(state) && location.pathname === served.path;
  const text = counted(count, "frames");
  if (isServed) status.textContent = served.status;
  else if (isSearch && found && !found.whole && count > 0) status.textContent = fill(words.some_words, { frames: text });
  else status.textContent = found?.more ? fill(words.and_counting, { frames: text }) : text;
  const apply = document.querySelector("[data-apply]");
  if (apply) apply.textContent = fill(words.show_frames, { frames: text });
  const chosen = active.flatMap((facet) => facet.boxes.filter((value) => value.box.checked).map((value) => [facet, value]));
  const pills = chosen.map(([facet, value]) => {
    const pill = element("button", { type: "button", class: "pill", "aria-label": fill(words.remove_filter, { name: `${facet.label}: ${value.label}` }) }, element("bdi", {}, value.label), icon("close"));
    pill.addEventListener("click", () => choose(facet, value.key, false).then(() => catchFocus(place.querySelector("[data-pills] button") ?? results)));
    return pill;
  });
  if (pills.length > 0) {
    const clear = element("button", { type: "button", class: "pill-clear" }, words.clear_filters);
    clear.addEventListener("click", clearAll);
    pills.push(clear);
  }
  place.querySelector("[data-pills]").replaceChildren(...pills);
  panel.querySelector("[data-clear]").hidden = chosen.length === 0;
  for (const badge of document.querySelectorAll("[data-chosen]")) badge.textContent = chosen.length > 0 ? number(chosen.length) : "";
}

async function list(hits, narrowed, active, isCurrent) {
  if (isPlain(state) && location.pathname === served.path) {
    if (!isAsServed) {
      results.replaceChildren(...served.nodes);
      dress(results);
    }
    isAsServed = true;
    return;
  }
  const pages = Math.max(1, Math.ceil(hits.length / settings.perPage));
  const page = Math.min(state.page, pages);
  const shown = await cards([...hits.slice((page - 1) * settings.perPage, page * settings.perPage)]);
  if (!isCurrent()) return;
  isAsServed = false;
  if (found) found.highlight(shown, found.words);
  if (shown.length === 0) return results.replaceChildren(nothing(narrowed, active));
  // Hearts and marks are put on before the cards are in the page, so that it is laid out once.
  const grid = element("ul", { class: "cards" }, ...shown);
  dress(grid);
  results.replaceChildren(grid, ...(pages > 1 ? [pagination(page, pages)] : []));
}

// An empty result says what is nearly one: how much there is without one of the facets.
function nothing(narrowed, active) {
  const isAsked = !isSearch || state.query !== "";
  const box = element("div", { class: "empty" }, element("h2", {}, isAsked ? words.no_frames : words.type_something), element("p", {}, isAsked ? words.no_frames_lead : words.type_something_lead));
  const near = active.map((facet, at) => ({ facet, count: withoutFacet(narrowed, at) })).filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  if (near.length > 0) {
    const ways = near.map(({ facet, count }) => {
      const names = facet.boxes.filter((value) => value.box.checked).map((value) => value.label).join(", ");
      const text = fill(words.near_without, { frames: counted(count, "frames"), filter: `${facet.label}: ${names}` });
      return element("li", {}, button(text, () => go({ ...state, chosen: new Map(state.chosen).set(facet.key, new Set()), page: 1 }).then(() => results.focus())));
    });
    box.append(element("ul", { class: "near" }, ...ways));
  }
  if (active.length > 0) box.append(element("p", {}, button(words.clear_filters, clearAll, { class: "button" })));
  return box;
}

function pagination(page, pages) {
  const link = (to, text, attributes = {}) => {
    const anchor = element("a", { href: addressOf({ ...state, page: to }), ...attributes }, text);
    anchor.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      go({ ...state, page: to }).then(() => {
        results.focus({ preventScroll: true });
        place.scrollIntoView();
      });
    });
    return anchor;
  };
  const steps = [...new Set([1, page - 10, page - 1, page, page + 1, page + 10, pages])].filter((step) => step >= 1 && step <= pages).sort((a, b) => a - b);
  const items = steps.map((step, at) => {
    const name = [element("span", { class: "hidden" }, `${words.page} `), number(step)];
    const mark = step === page ? element("span", { "aria-current": "page" }, ...name) : link(step, "");
    if (step !== page) mark.append(...name);
    return element("li", { class: at > 0 && step > steps[at - 1] + 1 ? "after-gap" : null }, mark);
  });
  return element("nav", { class: "pages", "aria-label": words.pages },
    page > 1 ? link(page - 1, words.previous, { class: "pages-step", rel: "prev" }) : null,
    element("ul", {}, ...items),
    page < pages ? link(page + 1, words.next, { class: "pages-step", rel: "next" }) : null);
}

// ---- Searching

async function ask() {
  const mine = state.query;
  base = null;
  found = null;
  for (const field of document.querySelectorAll("input[name=q]")) if (field !== document.activeElement) field.value = mine;
  if (mine === "") return show();
  results.setAttribute("aria-busy", "true");
  try {
    const { highlight, search } = await import("./search.js");
    for await (const result of search(mine)) {
      if (state.query !== mine) return undefined;
      found = { ...result, highlight };
      base = null;
      await show();
    }
  } catch (error) {
    console.warn(error);
    found = null;
  }
  if (found === null) return show();
  return undefined;
}

// ---- The beginning

async function drawn() {
  ({ facets } = await summary());
  const asked = state;
  state = known(asked);
  const isWhole = facets.every(({ key }) => (asked.chosen.get(key)?.size ?? 0) === (state.chosen.get(key)?.size ?? 0));
  if (!isWhole) history.replaceState(history.state, "", shortAddressOf(state));
  draw();
}

export function start() {
  let controls = null;
  let prepared = null;
  const controlsReady = () => (controls ??= drawn());
  const ready = () => (prepared ??= controlsReady().then(() => (isSearch ? ask() : show())));
  sorting.addEventListener("change", () => ready().then(() => go({ ...state, sort: sorting.value, page: 1 })));
  watch("face", [], (shapes) => {
    const known = sorting.querySelector("option[value=face]");
    if (shapes.length === 0) known?.remove();
    else if (!known) sorting.append(element("option", { value: "face" }, words.sort_face));
  });
  addEventListener("popstate", () => ready().then(() => {
    const before = state.query;
    state = known(stateOf(location));
    return isSearch && state.query !== before ? ask() : show();
  }));
  const form = place.querySelector("form[role=search]");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const query = new FormData(form).get("q").trim();
    ready().then(() => {
      state = { ...state, query, page: 1 };
      history.pushState(null, "", addressOf(state));
      return ask();
    });
  });
  if (isSearch && state.query === "") form?.querySelector("input").focus();
  // Where the filters wait behind a button, no counts are loaded before it is pressed.
  panel.closest("[popover]").addEventListener("beforetoggle", ready);
  if (isSearch || location.search !== "" || panel.checkVisibility()) ready();
  else controlsReady();
  // By the time somebody opens a facet or ticks a box, its column should be here.
  const early = () => ready().then(() => facets.filter((facet) => listed(facet) && facet.group.open).forEach(column));
  panel.addEventListener("pointerover", early, { once: true });
  panel.addEventListener("focusin", early, { once: true });
}
