// The cart, or the list for an enquiry: quantities, a total, and the way on. Prices are asked for before that way is
// taken, and one that has changed is said.
import settings from "./settings.js";
import { keyOf, minorOf, remove, setQuantity, change } from "./bag.js";
import { addressOf, announce, button, element, fill, icon, words } from "./cards.js";
import { lines, setLines, watchLines } from "./memory.js";
import { eachOf, money, productPage } from "./product_pages.js";
import { copy } from "./share.js";

const UNAVAILABLE = ["out-of-stock", "discontinued"];

export function start() {
  const page = document.querySelector("[data-cart]");
  const { cart: mode, domain, email, subject } = page.dataset;
  const part = (name) => page.querySelector(`[data-${name}]`);
  const place = part("lines");
  const handOver = part("hand-over");
  // What the shop says of each line now: nothing, "gone", "sold-out", "lenses" or "request".
  const problems = new Map();
  const changes = new Map();

  function show(all) {
    part("empty").hidden = all.length > 0;
    part("filled").hidden = all.length === 0;
    const shown = new Map([...place.children].map((row) => [row.dataset.key, row]));
    const rows = all.map((line) => {
      const row = shown.get(keyOf(line)) ?? lineOf(line);
      update(row, line);
      return row;
    });
    for (const row of [...place.children]) if (!rows.includes(row)) row.remove();
    rows.forEach((row, at) => {
      if (place.children[at] !== row) place.insertBefore(row, place.children[at] ?? null);
    });
    part("total").textContent = totalOf(all);
    if (handOver) handOver.href = addressFor(all) ?? handOver.href;
  }

  function lineOf(line) {
    const key = keyOf(line);
    const name = nameOf(line);
    const address = line.colour ? `${addressOf(line.slug)}?colour=${encodeURIComponent(line.colour)}` : addressOf(line.slug);
    const picture = line.picture && element("img", { src: line.picture.src, width: line.picture.width, height: line.picture.height, alt: "", class: line.picture.drawing ? "is-drawing" : null });
    const quantity = element("input", { type: "number", inputmode: "numeric", min: "1", max: "99", "aria-label": fill(words.quantity_of, { name }) });
    quantity.addEventListener("change", () => setQuantity(key, Number(quantity.value)));
    const label = fill(words.remove_named, { name });
    const away = element("button", { type: "button", class: "icon-button", "aria-label": label, title: label }, icon("close"));
    away.addEventListener("click", () => {
      const next = away.closest("li").nextElementSibling ?? away.closest("li").previousElementSibling;
      undoable(fill(words.removed, { name }), () => remove(key));
      next?.querySelector("button").focus();
    });
    const pay = mode === "stripe" && line.payment ? element("a", { class: "button", href: line.payment, rel: "noopener", "data-pay": true }, words.pay) : null;
    return element("li", { class: "cart-line", "data-key": key }, element("div", { class: "cart-picture" }, picture),
      element("div", { class: "cart-text" },
        line.brand ? element("p", { class: "card-brand" }, element("bdi", {}, line.brand)) : null,
        element("p", { class: "card-name" }, element("a", { href: address }, element("bdi", {}, line.name))),
        line.colourName ? element("p", { class: "card-note" }, element("bdi", {}, line.colourName)) : null,
        line.lenses ? element("p", { class: "card-note" }, lensesIn(line)) : null,
        line.sku ? element("p", { class: "card-note" }, fill(words.article, { sku: line.sku })) : null,
        element("p", { class: "card-note", "data-each": true }), element("p", { class: "cart-problem", "data-problem": true }), pay),
      quantity, element("p", { class: "cart-price", "data-sum": true }), away);
  }

  function update(row, line) {
    const key = keyOf(line);
    const problem = problems.get(key);
    row.querySelector("input").value = line.quantity;
    row.querySelector("[data-each]").textContent = line.quantity > 1 ? fill(words.each, { price: amount(minorOf(line), line) }) : "";
    row.querySelector("[data-sum]").textContent = amount(minorOf(line) * line.quantity, line);
    const said = { gone: words.gone, "sold-out": words.sold_out, request: words.on_request, lenses: words.lenses_gone }[problem];
    row.querySelector("[data-problem]").textContent = [said, changes.get(key)].filter(Boolean).join(". ");
    row.classList.toggle("is-unavailable", problem === "gone" || problem === "sold-out");
    const pay = row.querySelector("[data-pay]");
    if (pay) pay.hidden = problem !== undefined;
  }

  const ready = (all) => all.filter((line) => !problems.has(keyOf(line)));

  // Lines that cannot be had are left out; currencies are never mixed.
  function totalOf(all) {
    const sums = new Map();
    for (const line of ready(all)) sums.set(line.currency, (sums.get(line.currency) ?? 0) + minorOf(line) * line.quantity);
    return [...sums].map(([currency, minor]) => amount(minor, { currency })).join(" + ");
  }

  function addressFor(all) {
    if (mode === "enquiry" && email) return `mailto:${encodeURIComponent(email).replace("%40", "@")}?subject=${encodeURIComponent(subject)}&body=${encodeURIComponent(letter(all))}`;
    if (mode === "shopify") return permalink(domain, ready(all));
    return null;
  }

  function letter(all) {
    return [words.mail_greeting, "", words.mail_intro, "", listing(all), ""].join("\r\n");
  }

  function listing(all) {
    const texts = all.map((line) => {
      const details = [line.colourName, line.lenses && lensesIn(line), line.sku && fill(words.article, { sku: line.sku }), amount(minorOf(line), line)].filter(Boolean);
      return [fill(words.mail_line, { count: line.quantity, name: [line.brand, line.name].filter(Boolean).join(" ") }), details.join(", "), new URL(addressOf(line.slug), location.href).href].join("\r\n");
    });
    return [...texts, fill(words.mail_total, { total: totalOf(all) })].join("\r\n\r\n");
  }

  // Asks the shop for what is in the cart; gives whether something has changed.
  async function refresh() {
    let changed = false;
    await eachOf(lines(), async (line) => {
      const key = keyOf(line);
      const now = await productPage(line.slug);
      if (now.state === "unreachable") return;
      const problem = now.state === "gone" ? "gone" : problemOf(line, now);
      if (problem !== problems.get(key)) changed = true;
      if (problem) problems.set(key, problem);
      else problems.delete(key);
      if (now.state !== "here") return;
      const renewed = { minor: now.minor, currency: now.currency, price: now.snapshot.price, ...offers(line, now), ...lensesNow(line, now) };
      const after = minorOf({ ...line, ...renewed });
      if (after !== minorOf(line) || renewed.currency !== line.currency) {
        changes.set(key, fill(words.price_changed, { before: amount(minorOf(line), line), now: amount(after, now) }));
        changed = true;
      }
      if (Object.keys(renewed).some((name) => JSON.stringify(renewed[name]) !== JSON.stringify(line[name]))) change(key, renewed);
    });
    show(lines());
    return changed;
  }

  function problemOf(line, now) {
    if (mode !== "enquiry" && UNAVAILABLE.includes(now.availability)) return "sold-out";
    const { variant, payment } = offers(line, now);
    if (line.lenses && !now.lenses.some(({ name }) => name === line.lenses.name)) return "lenses";
    if (mode === "shopify" && !variant) return "request";
    return mode === "stripe" && !payment ? "request" : undefined;
  }

  // The way to buy the line's colour, which may have ids of its own.
  function offers(line, now) {
    const color = now.colors.find((candidate) => candidate.key === line.colour);
    return { variant: color && !color.own ? color.variant : now.variant, payment: now.payment };
  }

  function lensesNow(line, now) {
    const found = line.lenses && now.lenses.find(({ name }) => name === line.lenses.name);
    return found ? { lenses: { name: found.name, minor: found.minor, variant: found.variant } } : {};
  }

  function undoable(said, action) {
    const before = lines();
    action();
    const note = part("undo");
    const undo = button(words.undo, () => {
      note.hidden = true;
      setLines(before);
      place.querySelector("button")?.focus();
    });
    note.replaceChildren(`${said} `, undo);
    note.hidden = false;
    if (lines().length === 0) undo.focus();
    announce(said);
  }

  part("clear").addEventListener("click", () => undoable(words.removed_all, () => setLines([])));
  part("copy").addEventListener("click", () => copy(listing(lines())));
  // Whoever goes on sees first what has changed since; a page that was asked just now answers at once.
  let checked = refresh().then((changed) => {
    part("note").textContent = changed ? words.check_changed : words.prices_checked;
    checked = null;
  });
  handOver?.addEventListener("click", async (event) => {
    if (checked === null) return;
    event.preventDefault();
    part("note").textContent = words.checking_prices;
    await checked;
    if (part("note").textContent === words.prices_checked) location.assign(handOver.href);
    else announce(words.check_changed);
  });
  watchLines(show);
}

const nameOf = (line) => [line.name, line.colourName, line.lenses?.name].filter(Boolean).join(", ");
const lensesIn = (line) => `${line.lenses.name} (+ ${amount(line.lenses.minor, line)})`;
const amount = (minor, { currency }) => money(minor, currency, settings.locale);

// Shopify takes a cart as an address: variants with their quantities.
export function permalink(domain, all) {
  const isId = (text) => /^\d+$/.test(text ?? "");
  const parts = all.filter((line) => isId(line.variant)).flatMap((line) => [line.variant, line.lenses?.variant].filter(isId).map((id) => `${id}:${line.quantity}`));
  return parts.length > 0 ? `https://${domain}/cart/${parts.join(",")}` : null;
}
