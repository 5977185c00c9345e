// Will it fit? Holds the width of a front against the width of a face, or against a pair that fits.
import { fill, number, words } from "./cards.js";
import { read, write } from "./memory.js";

const NAME = "fit";
// A front about as wide as the face, give or take this much, is right; twice as much can still be worn.
const GOOD = 3;
const BEARABLE = 6;
// What the end pieces of an ordinary frame add to its lenses and bridge.
const END_PIECES = 7;

// Reads "138", "138 mm", "13.8 cm", "52-18-140", "52 [] 18 140"; gives nothing for anything else.
export function measureOf(text) {
  const numbers = (text.match(/\d+(?:[.,]\d+)?/g) ?? []).map((digits) => Number(digits.replace(",", ".")));
  const inside = (value, least, most) => value >= least && value <= most;
  if (numbers.length === 1) {
    const [width] = numbers;
    if (inside(width, 100, 190)) return { face: width };
    return inside(width, 10, 19) ? { face: width * 10 } : null;
  }
  const [lens, bridge, temple] = numbers;
  if (numbers.length > 3 || !inside(lens, 30, 70) || !inside(bridge, 8, 32)) return null;
  if (temple !== undefined && !inside(temple, 90, 180)) return null;
  return { face: 2 * lens + bridge + END_PIECES, bridge, temple };
}

// The sentences about a front for a measure, and how good it is.
export function verdict(frame, measure) {
  const difference = frame.front - measure.face;
  const off = Math.abs(difference);
  const level = off <= GOOD ? "good" : off <= BEARABLE ? "bearable" : "poor";
  const key = level === "good" ? "good" : `${level === "poor" ? "too_" : ""}${difference > 0 ? "wide" : "narrow"}`;
  const values = { front: number(frame.front), face: number(measure.face), difference: number(Math.round(off)) };
  const said = [fill(words[`fitting_${key}`], values)];
  const compare = (name, own, least, more, less) => {
    const by = frame[name] - own;
    if (Math.abs(by) >= least) said.push(fill(by > 0 ? more : less, { difference: number(Math.abs(by)) }));
  };
  if (measure.bridge) {
    said.push(fill(words.fitting_own, values));
    compare("bridge", measure.bridge, 2, words.fitting_bridge_wide, words.fitting_bridge_narrow);
    if (measure.temple) compare("temple", measure.temple, 5, words.fitting_temple_long, words.fitting_temple_short);
  }
  if (frame.estimated) said.push(words.fitting_estimated);
  return { level, text: said.join(" ") };
}

export function startFitting(form) {
  const input = form.querySelector("input");
  const output = form.querySelector("output");
  const { front, bridge, temple } = form.dataset;
  const frame = { front: Number(front), bridge: Number(bridge), temple: Number(temple), estimated: "estimated" in form.dataset };
  const tell = (text) => {
    const measure = measureOf(text);
    const { level, text: said } = measure ? verdict(frame, measure) : { level: "unclear", text: words.fitting_unclear };
    output.textContent = said;
    output.dataset.level = level;
    input.setAttribute("aria-invalid", measure === null);
    return measure !== null;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (tell(text)) write(NAME, text);
  });
  const known = read(NAME, "");
  if (typeof known === "string" && known !== "") {
    input.value = known;
    tell(known);
  }
}
