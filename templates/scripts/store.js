// The only script that pages ask for. What a page needs beyond it is loaded by what stands in the page.
import { start } from "./cards.js";

start();
const parts = [
  ["[data-search-box]", "./search_box.js"],
  ["[data-listing]", "./listing.js"],
];
for (const [selector, module] of parts) {
  if (document.querySelector(selector)) import(module).then((part) => part.start());
}
