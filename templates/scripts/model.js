// A frame's 3D model, turned about in a dialogue. The viewer weighs more than all pages together, so that it comes only when
// somebody asks for it.
import { element, fill, icon, words } from "./cards.js";

// Places that the viewer calls out, in English only: where it was turned to is not said, but what it shows is.
const around = ["front", "back", "left", "right"];
const unsaid = Object.fromEntries(["", "upper-", "lower-"].flatMap((height) => around.map((side) => [height + side, ""])));

export async function view(button, name) {
  const close = element("button", { type: "button", class: "icon-button", "aria-label": words.close }, icon("close"));
  const place = element("div", { class: "zoom-model", "aria-busy": "true" });
  const dialog = element("dialog", { class: "zoom", "aria-label": button.textContent.trim() }, close, place);
  const { model, viewer, phones } = button.dataset;
  const fail = () => {
    place.removeAttribute("aria-busy");
    place.replaceChildren(element("p", { role: "alert" }, words.model_failed, " ", element("a", { href: model, download: "" }, words.model_download)));
  };
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  try {
    await load(new URL(viewer, location.href));
  } catch {
    fail();
    return;
  }
  const shown = element("model-viewer", {
    src: model,
    alt: fill(words.model_of, { name }),
    a11y: JSON.stringify({ ...unsaid, "interaction-prompt": words.model_turn }),
    "camera-controls": true,
    "camera-orbit": "25deg 78deg auto",
    "touch-action": "pan-y",
    "shadow-intensity": "0.8",
    "interaction-prompt": matchMedia("(prefers-reduced-motion: reduce)").matches ? "none" : "auto",
    ar: true,
    "ar-modes": "webxr quick-look",
    "ios-src": phones,
  }, element("button", { slot: "ar-button", type: "button", class: "button zoom-ar" }, words.model_in_room));
  shown.addEventListener("load", () => place.removeAttribute("aria-busy"));
  shown.addEventListener("error", fail);
  place.replaceChildren(shown);
}

// Decoders are looked for beside the viewer, where there are none, and never on other servers.
function load(script) {
  const here = new URL(".", script).href;
  self.ModelViewerElement ??= { dracoDecoderLocation: here, ktx2TranscoderLocation: here, lottieLoaderLocation: here };
  return import(script.href);
}
