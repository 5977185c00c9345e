// Finds a shopper's face shape from four measurements, from points on a photo, or by choice, and remembers it. The photo
// is drawn on a canvas of this page and goes nowhere.
import { announce, element, fill, number, words } from "./cards.js";
import { faceShape } from "./face_shape.js";
import { read, watch, write } from "./memory.js";

// Millimetres in one of each unit, and an example of a width in it.
const units = { mm: { size: 1, example: 135 }, cm: { size: 10, example: 13.5 }, in: { size: 25.4, example: 5.3 } };
// What the four lengths of any face are between, in millimetres.
const bounds = { forehead: [60, 230], cheekbones: [70, 230], jaw: [50, 230], length: [100, 330] };
const measures = Object.keys(bounds);
// The largest side of the photo on the canvas, in pixels.
const longestSide = 1200;
// Where the points are at first, from the middle of the picture and in units of the face's length.
const ends = {
  foreheadLeft: [-0.31, -0.24],
  foreheadRight: [0.31, -0.24],
  cheekbonesLeft: [-0.35, 0.02],
  cheekbonesRight: [0.35, 0.02],
  jawLeft: [-0.28, 0.28],
  jawRight: [0.28, 0.28],
  hairline: [0, -0.5],
  chin: [0, 0.5],
};
const lines = { forehead: ["foreheadLeft", "foreheadRight"], cheekbones: ["cheekbonesLeft", "cheekbonesRight"], jaw: ["jawLeft", "jawRight"], length: ["hairline", "chin"] };

export function start() {
  const finder = document.querySelector("[data-finder]");
  nothing = finder.querySelector("[data-verdict]").textContent;
  const form = (way) => finder.querySelector(`form[data-way=${way}]`);
  measuring(finder, form("measure"));
  photographing(finder, form("photo"));
  choosing(finder, form("choose"));
  finder.querySelector("[data-forget]").addEventListener("click", () => {
    write("face", []);
    announce(words.finder_forgotten);
    finder.querySelector("[data-result]").focus();
  });
  watch("face", [], () => show(finder, known()));
  finder.dataset.ready = "";
}

// The shapes that are remembered, without any that this page does not know.
function known() {
  const shapes = read("face", []);
  return Array.isArray(shapes) ? shapes.filter((shape) => nameOf(shape) !== "") : [];
}

// What the guide below calls a shape.
const entryOf = (shape) => (/^[a-z]+$/.test(shape) ? document.querySelector(`.guide > #${shape}`) : null);
const nameOf = (shape) => entryOf(shape)?.querySelector("h3").textContent.trim() ?? "";

// A form's field, also the one called "length", which would else be the number of fields.
const fieldOf = (form, name) => form.elements.namedItem(name);

// Says what is wrong with a field; no text says that nothing is.
function complain(form, name, text) {
  form.querySelector(`[data-error=${name}]`).textContent = text;
  const field = fieldOf(form, name);
  if (field) field.setAttribute("aria-invalid", text !== "");
  // A field's own fault is read out with the field; what has none is said.
  else if (text) announce(text);
}

// How sure the newest result is, and what the page said before there was any.
let certainty = null;
let nothing = "";

function settle(finder, result) {
  certainty = result.certainty;
  write("face", result.shapes);
  certainty = null;
  const panel = finder.querySelector("[data-result]");
  panel.focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
}

function show(finder, shapes) {
  const [first, second] = shapes.map((shape) => nameOf(shape).toLowerCase());
  const told = { clear: words.finder_clear, likely: words.finder_likely, mixed: words.finder_mixed }[certainty];
  const kept = second ? words.finder_remembered_both : words.finder_remembered;
  finder.querySelector("[data-verdict]").textContent = first ? fill(told ?? kept, { first, second }) : nothing;
  finder.querySelector("[data-forget]").hidden = !first;
  finder.querySelector("[data-shapes]").replaceChildren(...shapes.map(resultOf));
  for (const box of finder.querySelectorAll("[name=shape]")) box.checked = shapes.includes(box.value);
}

// A shape with the drawing, the name and the link that it has in the guide.
function resultOf(shape) {
  const entry = entryOf(shape);
  const link = entry.querySelector("a.more");
  return element("li", {},
    entry.querySelector(".guide-icon .face-icon").cloneNode(true),
    element("div", {},
      element("strong", {}, element("a", { href: `#${shape}` }, nameOf(shape))),
      link ? element("a", { class: "more", href: link.getAttribute("href") }, link.textContent) : null));
}

// A length as people write it: 13.5, 13,5 cm, 5 1/4 in, 5 1/4".
export function lengthOf(text, unit) {
  const written = text.trim().toLowerCase().replace(/[”″]|''/g, '"');
  const parts = written.match(/^(\d+(?:[.,]\d+)?)(?:\s+(\d+)\/(\d+))?\s*(mm|cm|in|inch|inches|")?\.?$/);
  if (!parts) return NaN;
  const [, whole, above, below, own] = parts;
  const count = Number(whole.replace(",", ".")) + (below ? Number(above) / Number(below) : 0);
  const chosen = own === undefined ? unit : own === "mm" || own === "cm" ? own : "in";
  return count * units[chosen].size;
}

function measuring(finder, form) {
  const example = () => number(units[form.elements.unit.value].example);
  const faultOf = (name, text) => {
    if (text === "") return fill(words.finder_missing, { example: example() });
    const length = lengthOf(text, form.elements.unit.value);
    const [least, most] = bounds[name];
    if (Number.isNaN(length)) return fill(words.finder_no_number, { text, example: example() });
    if (length < least) return fill(words.finder_too_small, { text });
    return length > most ? fill(words.finder_too_large, { text }) : "";
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = { jawline: form.elements.jawline.value };
    const faulty = [];
    for (const name of measures) {
      const text = fieldOf(form, name).value.trim();
      const fault = faultOf(name, text);
      complain(form, name, fault);
      if (fault) faulty.push(name);
      given[name] = lengthOf(text, form.elements.unit.value);
    }
    const result = faulty.length === 0 ? faceShape(given) : {};
    if (result.doubtful) {
      complain(form, result.doubtful, words.finder_doubtful);
      faulty.push(result.doubtful);
    }
    if (faulty.length > 0) fieldOf(form, faulty[0]).focus();
    else settle(finder, result);
  });
  for (const name of measures) fieldOf(form, name).addEventListener("input", () => complain(form, name, ""));
}

function choosing(finder, form) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const shapes = [...form.querySelectorAll(":checked")].map((box) => box.value);
    const sound = shapes.length === 1 || shapes.length === 2;
    complain(form, "choose", sound ? "" : words.finder_choose_some);
    if (sound) settle(finder, { shapes });
    else form.querySelector("[name=shape]").focus();
  });
}

function photographing(finder, form) {
  const drop = form.querySelector("[data-drop]");
  const stage = form.querySelector("[data-stage]");
  const canvas = stage.querySelector("canvas");
  const file = form.querySelector("[type=file]");
  const handles = [...stage.querySelectorAll("[data-point]")];
  // Points in shares of the picture's width and height.
  const points = {};
  let moved = false;

  const place = (handle, x, y) => {
    const [left, top] = (points[handle.dataset.point] = [Math.min(Math.max(x, 0), 1), Math.min(Math.max(y, 0), 1)]);
    handle.style.left = `${left * 100}%`;
    handle.style.top = `${top * 100}%`;
    handle.setAttribute("aria-valuenow", Math.round(left * 100));
    handle.setAttribute("aria-valuetext", fill(words.finder_position, { x: number(Math.round(left * 100)), y: number(Math.round(top * 100)) }));
    complain(form, "photo", "");
    moved = true;
  };
  const draw = () => {
    const spot = (name) => points[name].map((share) => (share * 100).toFixed(2)).join(" ");
    const path = Object.values(lines).map(([from, to]) => `M${spot(from)}L${spot(to)}`).join("");
    for (const line of stage.querySelectorAll("path")) line.setAttribute("d", path);
  };
  const remove = () => {
    // A canvas without width holds no picture.
    canvas.width = 0;
    file.value = "";
    drop.hidden = false;
    form.querySelector("[data-photo]").hidden = true;
  };
  const take = async (picture) => {
    if (!picture) return;
    const bitmap = await createImageBitmap(picture, { imageOrientation: "from-image" }).catch(() => null);
    if (!bitmap) {
      remove();
      return complain(form, "photo", words.finder_no_picture);
    }
    const scale = Math.min(1, longestSide / Math.max(bitmap.width, bitmap.height));
    canvas.width = Math.max(1, Math.round(bitmap.width * scale));
    canvas.height = Math.max(1, Math.round(bitmap.height * scale));
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const length = Math.min(canvas.height * 0.62, canvas.width * 1.1);
    for (const handle of handles) {
      const [x, y] = ends[handle.dataset.point];
      place(handle, 0.5 + (x * length) / canvas.width, 0.5 + (y * length) / canvas.height);
    }
    draw();
    moved = false;
    drop.hidden = true;
    form.querySelector("[data-photo]").hidden = false;
    handles[0].focus({ preventScroll: true });
    stage.scrollIntoView({ block: "nearest" });
  };

  file.addEventListener("change", () => take(file.files[0]));
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("is-over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") take(event.dataTransfer.files[0]);
    });
  }
  form.querySelector("[data-remove-photo]").addEventListener("click", () => {
    remove();
    file.focus();
  });

  for (const handle of handles) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    handle.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      const [x, y] = points[handle.dataset.point];
      const size = event.shiftKey ? 0.05 : 0.005;
      place(handle, x + step[0] * size, y + step[1] * size);
      draw();
    });
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.focus({ preventScroll: true });
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const box = canvas.getBoundingClientRect();
      place(handle, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      draw();
    });
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (canvas.width === 0 || form.querySelector("[data-photo]").hidden) return;
    // The points as they stand at first would give everybody the same shape.
    if (!moved) {
      complain(form, "photo", words.finder_unmoved);
      return handles[0].focus();
    }
    const given = { jawline: form.elements.jawline.value };
    for (const [name, [from, to]] of Object.entries(lines)) {
      const [x, y] = [0, 1].map((axis) => points[from][axis] - points[to][axis]);
      given[name] = Math.hypot(x * canvas.width, y * canvas.height);
    }
    const result = faceShape(given);
    if (result.doubtful) {
      complain(form, "photo", words.finder_doubtful_photo);
      handles.find((handle) => lines[result.doubtful].includes(handle.dataset.point)).focus();
    } else settle(finder, result);
  });
}
