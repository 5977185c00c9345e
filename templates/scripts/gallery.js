// A product's pictures: by arrow keys, by thumbnails, and enlarged in a dialogue. Without it they are plain links.
import { element, icon, words } from "./cards.js";

let dialog;

// Starts a gallery; gives what shows another picture in the place of the first one.
export function startGallery(gallery) {
  const track = gallery.querySelector(".gallery-track");
  const figures = [...track.children];
  const thumbs = [...gallery.querySelectorAll(".thumbs a")];
  let current = 0;

  const mark = (index) => {
    current = index;
    thumbs.forEach((thumb, at) => (at === index ? thumb.setAttribute("aria-current", "true") : thumb.removeAttribute("aria-current")));
  };
  const go = (index) => {
    const figure = figures[Math.min(figures.length - 1, Math.max(0, index))];
    mark(figures.indexOf(figure));
    // Scrolls the row of pictures, never the page.
    track.scrollBy({ left: figure.getBoundingClientRect().left - track.getBoundingClientRect().left });
  };

  thumbs.forEach((thumb, at) => thumb.addEventListener("click", (event) => {
    event.preventDefault();
    go(at);
  }));
  const step = (key) => ({ ArrowRight: 1, ArrowLeft: -1 })[key] * (document.dir === "rtl" ? -1 : 1);
  track.addEventListener("keydown", (event) => {
    if (figures.length < 2 || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Home") go(0);
    else if (event.key === "End") go(figures.length - 1);
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") go(current + step(event.key));
    else return;
    event.preventDefault();
  });
  let waiting;
  track.addEventListener("scroll", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => mark(Math.min(figures.length - 1, Math.round(Math.abs(track.scrollLeft) / Math.max(1, figures[0].offsetWidth)))), 100);
  }, { passive: true });

  const images = () => figures.map((figure) => figure.querySelector("img"));
  figures.forEach((figure, at) => figure.querySelector("a").addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !window.HTMLDialogElement) return;
    event.preventDefault();
    enlarge(images(), at, go, step);
  }));

  return {
    show({ src, srcset, large, alt, drawing, width, height }) {
      const image = figures[0].querySelector("img");
      // What else stands for the picture of before: other formats, and its preview.
      for (const other of figures[0].querySelectorAll("source, .placeholder")) other.remove();
      for (const other of thumbs[0]?.querySelectorAll("source") ?? []) other.remove();
      image.srcset = srcset ?? "";
      Object.assign(image, { src, alt });
      image.setAttribute("width", width);
      image.setAttribute("height", height);
      figures[0].classList.toggle("has-drawing", drawing);
      figures[0].querySelector("a").href = large;
      if (thumbs.length > 0) Object.assign(thumbs[0].querySelector("img"), { srcset: srcset ?? "", src });
      go(0);
    },
  };
}

function enlarge(images, first, go, step) {
  const close = element("button", { type: "button", class: "icon-button", "aria-label": words.close }, icon("close"));
  const picture = element("img", {});
  const place = element("div", { class: "zoom-picture", tabindex: "0" }, picture);
  let at = first;
  const show = (index) => {
    at = (index + images.length) % images.length;
    picture.setAttribute("src", images[at].closest("a").getAttribute("href"));
    picture.setAttribute("alt", images[at].alt);
    place.classList.remove("is-near");
  };
  dialog?.remove();
  dialog = element("dialog", { class: "zoom", "aria-label": words.enlarge }, close, place);
  if (images.length > 1) {
    const turn = (by, name, label) => {
      const button = element("button", { type: "button", class: `icon-button zoom-${name}`, "aria-label": label }, element("span", { "aria-hidden": "true" }, by < 0 ? "‹" : "›"));
      button.addEventListener("click", () => show(at + by));
      return button;
    };
    dialog.append(turn(-1, "previous", words.previous_picture), turn(1, "next", words.next_picture));
  }
  document.body.append(dialog);
  show(first);
  close.addEventListener("click", () => dialog.close());
  picture.addEventListener("click", () => place.classList.toggle("is-near"));
  place.addEventListener("keydown", (event) => {
    if (!["Enter", " ", "+", "-"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    place.classList.toggle("is-near", event.key === "+" || (event.key !== "-" && !place.classList.contains("is-near")));
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target === place) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    if (images.length > 1 && !place.classList.contains("is-near") && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
      event.preventDefault();
      show(at + step(event.key));
    }
  });
  dialog.addEventListener("close", () => go(at));
  dialog.showModal();
}
