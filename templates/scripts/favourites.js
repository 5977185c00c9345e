// The frames that a shopper put aside, at once as they are remembered, then as the shop has them now. An address with
// `?frames=a,b` shows somebody else's list, which is not kept.
import { announce, button, cardOf, dress, element, fill, words } from "./cards.js";
import { favourites, write } from "./memory.js";
import { addressWith, eachOf, framesOf, productPage } from "./product_pages.js";
import { share } from "./share.js";

export function start() {
  const page = document.querySelector("[data-favourites]");
  const cards = page.querySelector("[data-list-of-cards]");
  const bar = page.querySelector("[data-bar]");
  const empty = page.querySelector("[data-empty]");
  const shared = framesOf(location.href);
  if (shared !== null) showShared(shared);
  else favourites.watch(showOwn);

  function showOwn(entries) {
    const shown = new Map([...cards.children].map((card) => [card.dataset.slug, card]));
    const wanted = entries.map((entry) => shown.get(entry.slug) ?? ownCard(entry));
    for (const card of cards.children) if (!wanted.includes(card)) card.remove();
    cards.append(...wanted.filter((card) => !card.isConnected));
    if (wanted.some((card, at) => cards.children[at] !== card)) cards.replaceChildren(...wanted);
    dress(cards);
    empty.hidden = entries.length > 0;
    if (entries.length > 0 && !bar.querySelector("[data-share]")) {
      bar.replaceChildren(
        button(words.share, () => share(document.title, addressWith(favourites.all().map((entry) => entry.slug))), { "data-share": true }),
        button(words.clear, () => undoable(words.removed_all, () => favourites.clear())));
    } else if (entries.length === 0) bar.querySelectorAll("[data-share], [data-share] + button").forEach((old) => old.remove());
    eachOf(entries.filter((entry) => !shown.has(entry.slug)), refresh);
  }

  function ownCard(entry) {
    const card = cardOf(entry);
    const remove = button(words.remove, () => {
      const next = card.nextElementSibling ?? card.previousElementSibling;
      undoable(fill(words.removed, { name: entry.name }), () => favourites.remove(entry.slug));
      (next?.querySelector(".card-remove") ?? bar.querySelector("button"))?.focus();
    }, { class: "button button-quiet card-remove", "aria-label": fill(words.remove_named, { name: entry.name }) });
    card.append(element("p", { class: "card-note", "data-now": true }), remove);
    return card;
  }

  // What has changed since a frame was put aside.
  async function refresh(entry) {
    const now = await productPage(entry.slug);
    const card = [...cards.children].find((candidate) => candidate.dataset.slug === entry.slug);
    if (!card) return;
    const note = card.querySelector("[data-now]");
    if (now.state === "unreachable") note.textContent = words.unreachable;
    if (now.state === "gone") {
      card.classList.add("card-unavailable");
      note.textContent = words.gone;
    }
    if (now.state !== "here") return;
    const said = { "out-of-stock": words.sold_out, discontinued: words.discontinued, "low-stock": words.few_left }[now.availability];
    const changed = entry.price && entry.price !== now.snapshot.price ? fill(words.price_changed, { before: entry.price, now: now.snapshot.price }) : null;
    card.classList.toggle("card-unavailable", now.availability === "out-of-stock" || now.availability === "discontinued");
    card.querySelector("[data-price]").textContent = now.snapshot.price;
    card.querySelector("[data-name]").textContent = now.snapshot.name;
    note.textContent = [said, changed].filter(Boolean).join(". ");
  }

  async function showShared(slugs) {
    empty.hidden = slugs.length > 0;
    const found = new Map();
    const own = element("a", { class: "button button-quiet", href: location.pathname }, words.show_own);
    bar.replaceChildren(element("p", {}, words.shared_list), own);
    cards.append(...slugs.map((slug) => element("li", { class: "card card-waiting", "data-waiting": slug }, element("div", { class: "card-picture" }))));
    await eachOf(slugs, async (slug) => {
      const now = await productPage(slug);
      const place = [...cards.children].find((card) => card.dataset.waiting === slug);
      if (now.state !== "here") return place.remove();
      found.set(slug, now.snapshot);
      place.replaceWith(cardOf(now.snapshot));
      dress(cards);
    });
    empty.hidden = found.size > 0;
    if (found.size > 0) {
      own.before(button(words.keep_all, () => {
        for (const slug of [...slugs].reverse()) if (found.has(slug) && !favourites.has(slug)) favourites.add(found.get(slug));
        announce(words.kept);
        location.assign(location.pathname);
      }));
    }
  }

  // Does it, and offers to take it back.
  function undoable(said, change) {
    const before = favourites.all();
    change();
    bar.querySelector(".undo")?.remove();
    const undo = button(words.undo, () => {
      note.remove();
      write("favourites", before);
      cards.querySelector(".card-remove")?.focus();
    });
    const note = element("p", { class: "undo" }, `${said} `, undo);
    bar.append(note);
    if (before.length === 1 || favourites.all().length === 0) undo.focus();
    announce(said);
  }
}
