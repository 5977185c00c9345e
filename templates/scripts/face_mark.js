// Marks the shopper's own face shapes where a page lists face shapes.
import { element, words } from "./cards.js";
import { watch } from "./memory.js";

export function start() {
  watch("face", [], (shapes) => {
    for (const entry of document.querySelectorAll("[data-face]")) {
      const isOwn = Array.isArray(shapes) && shapes.includes(entry.dataset.face);
      const mark = entry.querySelector(".own-face");
      if (!isOwn) mark?.remove();
      else if (!mark) entry.querySelector("h3").append(" ", element("span", { class: "own-face" }, words.your_face_shape));
    }
  });
}
