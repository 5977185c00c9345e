// Passes on an address or a text: by the system's own dialogue where there is one, else by the clipboard.
import { announce, element, words } from "./cards.js";

export async function share(title, url) {
  if (navigator.share) {
    try {
      await navigator.share({ title, url });
      return;
    } catch (problem) {
      if (problem.name === "AbortError") return;
    }
  }
  await copy(url, words.link_copied);
}

// Copies a text; where the clipboard is refused, shows it to be copied by hand.
export async function copy(text, said = words.copied) {
  try {
    await navigator.clipboard.writeText(text);
    announce(said);
    show(said);
    return true;
  } catch {
    prompt(words.copy_this, text);
    return false;
  }
}

// Shows for a moment what has been announced to those who hear it.
function show(said) {
  document.querySelector(".said")?.remove();
  const note = element("p", { class: "said", "aria-hidden": "true" }, said);
  document.body.append(note);
  setTimeout(() => note.remove(), 4000);
}
