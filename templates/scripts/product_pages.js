// What the pages of products say now: favourites, comparisons and carts ask here before they rely on what they remember.
import { addressOf, snapshotOf } from "./cards.js";

const asked = new Map();

// Gives { state: "here", page, snapshot, minor, currency, availability, sku, variant, payment, colors, lenses }, or a state of
// "gone" or "unreachable". Each page is asked for once.
export function productPage(slug) {
  if (!asked.has(slug)) asked.set(slug, ask(slug));
  return asked.get(slug);
}

async function ask(slug) {
  let answer;
  try {
    answer = await fetch(addressOf(slug), { cache: "no-cache" });
  } catch {
    return { state: "unreachable" };
  }
  if (answer.status === 404 || answer.status === 410) return { state: "gone" };
  if (!answer.ok) return { state: "unreachable" };
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const holder = page.querySelector("[data-product]");
  if (holder === null) return { state: "gone" };
  const { minor, currency, availability, sku, variant, payment } = holder.dataset;
  const colors = [...holder.querySelectorAll("[name=colour]")].map((choice) => ({ key: choice.value, own: "own" in choice.dataset, sku: choice.dataset.sku, variant: choice.dataset.variant }));
  return { state: "here", page, snapshot: snapshotOf(holder), minor: Number(minor), currency, availability, sku, variant, payment, colors, lenses: lensesOf(holder) };
}

// The lenses that a product's page offers, each with its choice in the page.
export function lensesOf(holder) {
  const choices = [...holder.querySelectorAll("[name=lenses]")].filter((choice) => choice.value !== "");
  return choices.map((choice) => ({ choice, name: choice.value, minor: Number(choice.dataset.minor), variant: choice.dataset.variant }));
}

// Does something for each item, a few at a time.
export async function eachOf(items, task, together = 4) {
  const waiting = [...items];
  const work = async () => {
    while (waiting.length > 0) await task(waiting.shift());
  };
  await Promise.all(Array.from({ length: together }, work));
}

// The slugs that an address names in `?frames=a,b`, or nothing.
export function framesOf(address) {
  const named = new URL(address).searchParams.get("frames");
  if (named === null) return null;
  const slugs = named.split(",").filter((slug) => /^[\p{L}\p{N}-]{1,120}$/u.test(slug));
  return [...new Set(slugs)].slice(0, 50);
}

// The address of this page with a list of frames in it.
export function addressWith(slugs) {
  const address = new URL(location.pathname, location.href);
  address.search = `?frames=${slugs.map(encodeURIComponent).join(",")}`;
  return address.href;
}

// Amounts are kept in the smallest unit of their currency; how many of them make a whole one, the browser knows.
export function money(minor, currency, locale) {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency });
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
}
