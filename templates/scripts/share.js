// Passes on an address or a text: by the system's own dialogue where there is one, else by the clipboard.
import { announce, words } from "./cards.js";

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
    return true;
  } catch {
    prompt(words.copy_this, text);
    return false;
  }
}
