// Finds products by words: exactly, by their beginnings, by synonyms, and in spite of slips.
import searchWords from "./search_words.js";
import { positions, searchFile as load, searchSummary } from "./catalog.js";
import { ordered } from "./narrowing.js";
import { bucketOf, endingBucketOf, forgiven, slips, wordsOf } from "./words.js";

// What a hit is worth by field: name and brand, attributes, description.
const worth = [24, 12, 4];
const asTyped = 10;
const asSynonym = 8;
const asBeginning = 7;
const asSlip = 4;

const { stop_words: stopWords, synonyms } = searchWords;
const sameAs = new Map();
for (const group of synonyms) for (const word of group) sameAs.set(word, [...(sameAs.get(word) ?? []), ...group.filter((other) => other !== word)]);

// The words of a query that say something; a hyphenated word counts as one, for its parts come with it.
export function queryWords(query) {
  const all = query.split(/\s+/u).flatMap((chunk) => {
    const found = wordsOf(chunk);
    return /[-\u2010\u2011_/]/u.test(chunk) ? found.slice(-1) : found;
  });
  const telling = all.filter((word) => !stopWords.includes(word));
  return [...new Set(telling.length > 0 ? telling : all)].slice(0, 8);
}

// Results as they come in, the first ones from the first segment alone. Each has the hits by relevance, the index's
// words that were found, whether all words of the query were, and whether more segments follow.
export async function* search(query) {
  const asked = queryWords(query);
  if (asked.length === 0) return;
  const { count, segment, files, endings, version } = await searchSummary();
  const found = new Scores(count, asked.length);
  const file = (number, word) => load(`search/${number}/${bucketOf(word, files[number])}.json?v=${version}`);
  const missing = new Set(asked.keys());

  const pass = async function* (termsOf) {
    const segmentFiles = (number) => Promise.all(asked.map(async (word, at) => {
      const terms = await termsOf(word, at);
      return Promise.all(terms.map(async (term) => ({ at, term, entries: await file(number, term.word) })));
    }));
    // The first segment's files come alone, so that the first results wait for nothing else.
    let loading = [segmentFiles(0)];
    for (let number = 0; number < files.length; number++) {
      if (number === 1) loading = files.map((_, later) => (later === 0 ? null : segmentFiles(later)));
      for (const { at, term, entries } of (await loading[number]).flat()) {
        for (const [word, factor] of term.matches(entries)) {
          missing.delete(at);
          found.add(at, word, entries[word], factor, number * segment);
        }
      }
      yield number + 1 < files.length;
    }
  };

  for await (const more of pass((word, at) => plainTerms(word, at === asked.length - 1))) {
    if (found.any() && more) yield { ...found.result(), more };
  }
  if (missing.size > 0) {
    const spelled = new Map();
    const near = async (word, at) => {
      if (!missing.has(at) && !spelled.has(at)) return [];
      if (!spelled.has(at)) spelled.set(at, nearWords(word, file, files.length, `search/endings/${endingBucketOf(word, endings)}.json?v=${version}`));
      return (await spelled.get(at)).map((other) => ({ word: other, matches: (entries) => (other in entries ? [[other, asSlip]] : []) }));
    };
    for await (const more of pass(near)) if (found.any() && more) yield { ...found.result(), more };
  }
  yield { ...found.result(), more: false };
}

// A word as it is, words that begin with it, and its synonyms.
function plainTerms(word, isLast) {
  const beginnings = word.length >= (isLast ? 2 : 3);
  const matches = (entries) => {
    const hits = word in entries ? [[word, asTyped]] : [];
    if (beginnings) for (const other of Object.keys(entries)) if (other !== word && other.startsWith(word)) hits.push([other, asBeginning]);
    return hits;
  };
  const others = (sameAs.get(word) ?? []).map((other) => ({ word: other, matches: (entries) => (other in entries ? [[other, asSynonym]] : []) }));
  return [{ word, matches }, ...others];
}

// Words of the index that may have been meant: those that begin alike, or else those that end alike.
async function nearWords(word, file, segments, endings) {
  const most = forgiven(word);
  if (most === 0) return [];
  const nearest = (candidates) => {
    let best = most;
    let near = [];
    for (const candidate of candidates) {
      const distance = slips(word, candidate, best);
      if (distance < best) near = [];
      if (distance <= best) {
        best = distance;
        near.push(candidate);
      }
    }
    return near.slice(0, 8);
  };
  const alike = new Set();
  for (let number = 0; number < segments; number++) for (const candidate of Object.keys(await file(number, word))) alike.add(candidate);
  const near = nearest(alike);
  if (near.length > 0) return near;
  return nearest(await load(endings));
}

// Sums what the words of a query are worth by product.
class Scores {
  constructor(count, asked) {
    this.perWord = Array.from({ length: asked }, () => new Uint8Array(count));
    this.words = new Set();
  }

  add(at, word, postings, factor, from) {
    this.words.add(word);
    const scores = this.perWord[at];
    postings.split(" ").forEach((text, field) => {
      const score = Math.round((worth[field] * factor) / 10);
      for (const position of positions(text)) if (scores[from + position] < score) scores[from + position] = score;
    });
  }

  any() {
    return this.words.size > 0;
  }

  // Products with all words, or else those with the most of them.
  result() {
    const count = this.perWord[0].length;
    const sums = new Uint16Array(count);
    const matched = new Uint8Array(count);
    for (const scores of this.perWord) {
      for (let product = 0; product < count; product++) {
        if (scores[product] > 0) {
          sums[product] += scores[product];
          matched[product]++;
        }
      }
    }
    const most = matched.reduce((a, b) => Math.max(a, b), 0);
    const hits = [];
    if (most > 0) for (let product = 0; product < count; product++) if (matched[product] === most) hits.push(product);
    const size = worth[0] * this.perWord.length + 1;
    return { hits: ordered(hits, (hit) => sums[hit], size, true), words: this.words, whole: most === this.perWord.length };
  }
}

// Marks the words that were found in the names and brands of cards.
export function highlight(cards, found) {
  for (const place of cards.flatMap((card) => [...card.querySelectorAll("[data-name], [data-brand] bdi")])) {
    const text = place.textContent;
    const pieces = [];
    let from = 0;
    for (const match of text.matchAll(/[\p{Alphabetic}\p{N}\p{M}'’]+/gu)) {
      if (!wordsOf(match[0]).some((word) => found.has(word))) continue;
      const mark = document.createElement("mark");
      mark.textContent = match[0];
      pieces.push(text.slice(from, match.index), mark);
      from = match.index + match[0].length;
    }
    if (pieces.length > 0) place.replaceChildren(...pieces, text.slice(from));
  }
}
