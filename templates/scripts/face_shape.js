// Tells a face's shape from four lengths: the rule alone, without the page. The same lengths always give the same answer,
// in whatever unit they are, for only their ratios count.

// A typical face of each shape: length, forehead and jaw, each as a share of the width at the cheekbones.
const typical = {
  oval: { length: 1.42, forehead: 0.89, jaw: 0.77 },
  round: { length: 1.12, forehead: 0.88, jaw: 0.8 },
  square: { length: 1.14, forehead: 0.97, jaw: 0.95 },
  heart: { length: 1.33, forehead: 1.03, jaw: 0.71 },
  diamond: { length: 1.37, forehead: 0.74, jaw: 0.69 },
  oblong: { length: 1.67, forehead: 0.92, jaw: 0.87 },
  triangle: { length: 1.3, forehead: 0.81, jaw: 1.03 },
};
// How far from typical a face of the shape may well be.
const spread = { length: 0.13, forehead: 0.075, jaw: 0.075 };
// What a look at the jaw adds, which widths do not show.
const jawlines = {
  soft: { oval: 1.5, round: 2, square: 0.4, oblong: 0.8, triangle: 0.8 },
  angular: { square: 2.2, oblong: 1.4, triangle: 1.3, round: 0.4, oval: 0.6 },
  pointed: { heart: 2, diamond: 1.7, oval: 0.9, round: 0.5, square: 0.3, oblong: 0.7, triangle: 0.4 },
};
// Ratios that no face has; beyond them something was measured wrongly.
const possible = { length: [0.85, 2.2], forehead: [0.5, 1.35], jaw: [0.45, 1.35] };
// Beyond the ends a face is only more of the same: very long is still oblong.
const telling = { length: [1.05, 1.72], forehead: [0.68, 1.1], jaw: [0.6, 1.08] };
// A second shape is named from this share of the first one's on.
const mixed = 0.5;
// From this share of all on, the first shape is beyond doubt.
const clear = 0.75;

const within = (value, [least, most]) => Math.min(Math.max(value, least), most);

// Takes { forehead, cheekbones, jaw, length } in one unit, and where it is known the jawline: "soft", "angular" or
// "pointed". Gives { shapes, certainty } with one or two shapes and "clear", "likely" or "mixed"; or { doubtful } with
// the name of the length that does not go with the others.
export function faceShape({ forehead, cheekbones, jaw, length, jawline }) {
  const given = { forehead, cheekbones, jaw, length };
  const unusable = Object.keys(given).find((name) => !(given[name] > 0 && Number.isFinite(given[name])));
  if (unusable) return { doubtful: unusable };
  const ratios = { length: length / cheekbones, forehead: forehead / cheekbones, jaw: jaw / cheekbones };
  const odd = Object.keys(ratios).filter((name) => within(ratios[name], possible[name]) !== ratios[name]);
  // All ratios have the cheekbones in them: where several are odd, these are.
  if (odd.length > 0) return { doubtful: odd.length > 1 ? "cheekbones" : odd[0] };

  const weights = Object.entries(typical).map(([shape, centre]) => {
    const distance = Object.keys(spread).reduce((sum, name) => sum + ((within(ratios[name], telling[name]) - centre[name]) / spread[name]) ** 2, 0);
    return { shape, weight: Math.exp(-distance / 2) * (jawlines[jawline]?.[shape] ?? 1) };
  });
  weights.sort((one, other) => other.weight - one.weight);
  const [first, second] = weights;
  const share = first.weight / weights.reduce((sum, { weight }) => sum + weight, 0);
  if (second.weight >= mixed * first.weight) return { shapes: [first.shape, second.shape], certainty: "mixed" };
  return { shapes: [first.shape], certainty: share >= clear ? "clear" : "likely" };
}
