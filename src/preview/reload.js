// Only in previews: loads the page anew when the store has changed, and shows why it could not be built.
const { href, searchParams } = new URL(import.meta.url);
const build = Number(searchParams.get("build"));
let isLost = false;

const events = new EventSource(new URL("events", href));
events.addEventListener("error", () => { isLost = true; });
events.addEventListener("message", ({ data }) => {
  const now = JSON.parse(data);
  if (now.error) show(now.error);
  // A preview that was away has been started again and counts from the beginning.
  else if (isLost || now.build !== build) location.reload();
});

function show(error) {
  hide();
  const box = document.createElement("div");
  const title = document.createElement("strong");
  const text = document.createElement("pre");
  box.dataset.previewError = "";
  box.setAttribute("role", "alert");
  title.textContent = "The store could not be built; this is how it was before.";
  text.textContent = error;
  Object.assign(box.style, { position: "fixed", inset: "auto 0 0 0", zIndex: "2147483647", maxHeight: "70vh", overflow: "auto", padding: "1rem 1.25rem", background: "#1b1216", color: "#ffd9d3", borderTop: "4px solid #e0533d", font: "14px/1.5 system-ui, sans-serif", direction: "ltr", textAlign: "left" });
  Object.assign(text.style, { margin: "0.5rem 0 0", whiteSpace: "pre-wrap", font: "13px/1.5 ui-monospace, monospace" });
  box.append(title, text);
  document.body.append(box);
}

function hide() {
  document.querySelector("[data-preview-error]")?.remove();
}
