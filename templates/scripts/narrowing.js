// Which products of a list pass the chosen facets, and how many would with one choice more. Knows no page.

// `base` lists products by position. Each of `chosen` has the codes of its column, and by set whether it passes.
export function narrow(base, chosen) {
  const misses = new Uint8Array(base.length);
  const missed = new Uint8Array(base.length);
  chosen.forEach(({ codes, passes }, at) => {
    for (let k = 0; k < base.length; k++) {
      if (passes[codes[base[k]]] === 0) {
        misses[k]++;
        missed[k] = at;
      }
    }
  });
  return { base, misses, missed, hits: base.filter((_, k) => misses[k] === 0) };
}

// By set of values, whether it passes a choice: any of the values is enough, or all of them have to be there.
export function passing(sets, values, all) {
  const wanted = [...values];
  const test = (set) => (all ? wanted.every((value) => set.includes(value)) : wanted.some((value) => set.includes(value)));
  return Uint8Array.from(sets, (set) => (test(set) ? 1 : 0));
}

// How many products each value stands for. Of a facet where one value is enough, its own choice (at `own` among the
// chosen ones) is left out, for another value of it would add to the result, not narrow it.
export function counts(narrowed, column, values, own, all) {
  const { base, misses, missed } = narrowed;
  const bySet = new Uint32Array(column.sets.length);
  for (let k = 0; k < base.length; k++) {
    if (misses[k] === 0 || (!all && misses[k] === 1 && missed[k] === own)) bySet[column.codes[base[k]]]++;
  }
  const byValue = new Uint32Array(values);
  column.sets.forEach((set, number) => {
    for (const at of set) byValue[at] += bySet[number];
  });
  return byValue;
}

// How many products would pass if nothing were chosen in the facet at `at` among the chosen ones.
export function withoutFacet({ misses, missed }, at) {
  let count = 0;
  for (let k = 0; k < misses.length; k++) if (misses[k] === 0 || (misses[k] === 1 && missed[k] === at)) count++;
  return count;
}

// Products by rank; those of equal rank stay in the order they are in.
export function ordered(hits, rankOf, size, descending) {
  const starts = new Uint32Array(size + 1);
  const place = descending ? (hit) => size - 1 - rankOf(hit) : rankOf;
  for (const hit of hits) starts[place(hit) + 1]++;
  for (let rank = 0; rank < size; rank++) starts[rank + 1] += starts[rank];
  const sorted = new Uint32Array(hits.length);
  for (const hit of hits) sorted[starts[place(hit)]++] = hit;
  return sorted;
}
