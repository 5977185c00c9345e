// A product's page: gallery, colours, lists, cart, fitting, and what was looked at before.
import settings from "./settings.js";
import { add } from "./bag.js";
import { announce, cardOf, dress, element, fill, snapshotOf, toggle, words } from "./cards.js";
import { startGallery } from "./gallery.js";
import { compared, favourites, recent, watch } from "./memory.js";
import { lensesOf, money } from "./product_pages.js";

export function start() {
  const holder = document.querySelector("[data-product]");
  const own = snapshotOf(holder);
  const gallery = startGallery(holder.querySelector("[data-gallery]"));
  const choices = [...holder.querySelectorAll("[name=colour]")];
  colors(choices, gallery);
  tools(holder, own);
  const lenses = lensChoice(holder);
  buying(holder, own, choices, lenses);
  const model = holder.querySelector("[data-model]");
  model?.addEventListener("click", () => import("./model.js").then((part) => part.view(model, own.name)));
  suits(holder);
  const form = document.querySelector("[data-fitting]");
  if (form) fitting(form);
  recently(own);
}

// The chosen colour shows in the first picture, in the facts beside it and in the address.
function colors(choices, gallery) {
  const show = (choice) => {
    const { src, srcset, large, alt } = choice.dataset;
    const picture = choice.parentElement.querySelector("img");
    gallery.show({ src, srcset, large, alt, drawing: "drawing" in choice.dataset, width: picture.getAttribute("width"), height: picture.getAttribute("height") });
    const button = document.querySelector(".snipcart-add-item");
    if (button) button.dataset.itemCustom1Value = colorName(choice);
    const fact = document.querySelector("[data-colour] bdi");
    if (fact) fact.textContent = colorName(choice);
  };
  for (const choice of choices) {
    choice.addEventListener("change", () => {
      const address = new URL(location.href);
      if ("own" in choice.dataset) address.searchParams.delete("colour");
      else address.searchParams.set("colour", choice.value);
      history.replaceState(history.state, "", address);
      show(choice);
    });
  }
  const wanted = new URLSearchParams(location.search).get("colour");
  const choice = choices.find((candidate) => candidate.value === wanted);
  // A browser may also restore a choice when it comes back to a page.
  const marked = choice ?? choices.find((candidate) => "own" in candidate.dataset);
  if (marked) marked.checked = true;
  if (choice && !("own" in choice.dataset)) show(choice);
}

// Says what the frame comes to with the chosen lenses; gives what tells which they are.
function lensChoice(holder) {
  const offered = lensesOf(holder);
  const chosen = () => {
    const found = offered.find(({ choice }) => choice.checked);
    return found && { name: found.name, minor: found.minor, variant: found.variant };
  };
  const tell = () => {
    const lenses = chosen();
    const { minor, currency } = holder.dataset;
    const total = lenses ? fill(words.with_lenses, { lenses: lenses.name, price: money(Number(minor) + lenses.minor, currency, settings.locale) }) : "";
    holder.querySelector("[data-lens-total]").textContent = total;
    const button = document.querySelector(".snipcart-add-item");
    if (button && lenses) button.dataset.itemCustom2Value = lenses.name;
    else if (button) delete button.dataset.itemCustom2Value;
  };
  if (offered.length === 0) return () => undefined;
  for (const choice of holder.querySelectorAll("[name=lenses]")) choice.addEventListener("change", tell);
  tell();
  return chosen;
}

const colorName = (choice) => choice.parentElement.querySelector("bdi").textContent.trim();

function tools(holder, own) {
  const place = holder.querySelector("[data-tools]");
  place.prepend(toggle(favourites, holder, "heart", "", words.save), toggle(compared, holder, "compare", "", words.compare));
  place.querySelector("[data-share]").addEventListener("click", () => import("./share.js").then((part) => part.share(own.name, location.href)));
  place.querySelector("[data-print]").addEventListener("click", () => print());
}

// Puts the frame, in its colour and with its lenses, on the list or into the cart.
function buying(holder, own, choices, lenses) {
  const form = holder.querySelector("[data-buy]");
  if (!form) return;
  const isEnquiry = holder.dataset.variant === undefined && holder.dataset.payment === undefined;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { slug, minor, currency, sku, variant, payment } = holder.dataset;
    const choice = choices.find((candidate) => candidate.checked);
    const line = { ...own, slug, minor: Number(minor), currency, sku, variant, payment, lenses: lenses(), quantity: Number(new FormData(form).get("quantity")) };
    if (choice) {
      const { src } = choice.dataset;
      Object.assign(line, { colour: choice.value, colourName: colorName(choice), picture: { ...own.picture, src, drawing: "drawing" in choice.dataset } });
      if (!("own" in choice.dataset)) Object.assign(line, { sku: choice.dataset.sku ?? sku, variant: choice.dataset.variant });
    }
    add(line);
    const said = fill(isEnquiry ? words.added_to_enquiry : words.added_to_cart, { name: own.name });
    announce(said);
    let note = form.querySelector(".buy-note");
    if (!note) {
      note = element("p", { class: "buy-note" });
      form.append(note);
    }
    note.replaceChildren(said, " ", element("a", { href: `${settings.root}cart/` }, isEnquiry ? words.go_to_enquiry : words.go_to_cart));
  });
}

// The fitting stands far down the page: its script comes when it is about to be seen, or when somebody is faster.
function fitting(form) {
  let begun;
  const early = (event) => {
    event.preventDefault();
    begin().then(() => form.requestSubmit());
  };
  const begin = () => {
    begun ??= import("./fitting.js").then((part) => {
      form.removeEventListener("submit", early);
      part.startFitting(form);
    });
    return begun;
  };
  form.addEventListener("submit", early);
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    begin();
  }, { rootMargin: "400px" });
  observer.observe(form);
}

// Says so when the frame suits the shopper's face.
function suits(holder) {
  const shapes = (holder.dataset.suits ?? "").split(" ");
  const note = element("strong", { class: "suits-note" }, words.suits_your_face);
  watch("face", [], (face) => {
    if (Array.isArray(face) && face.some((shape) => shapes.includes(shape))) holder.querySelector(".availability").append(note);
    else note.remove();
  });
}

function recently(own) {
  const section = document.querySelector("[data-recent]");
  const others = recent.all().filter((entry) => entry.slug !== own.slug).slice(0, 4);
  recent.add(own);
  if (others.length === 0) return;
  section.querySelector(".cards").append(...others.map(cardOf));
  section.hidden = false;
  dress(section);
}
