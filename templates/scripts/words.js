// Texts as the words of the search index; the program that makes the index does the same.
const longest = 24;
const ideographic = /[\u{3040}-\u{30ff}\u{3400}-\u{9fff}\u{20000}-\u{3ffff}]/u;
const letter = /[\p{Alphabetic}\p{N}]/u;

export function wordsOf(text) {
  const found = [];
  let word = "";
  let whole = "";
  let parts = 0;
  const close = (goesOn) => {
    if (word !== "") {
      parts++;
      whole += word;
      found.push(folded(word));
      word = "";
    }
    if (!goesOn) {
      if (parts > 1) found.push(folded(whole));
      whole = "";
      parts = 0;
    }
  };
  // Letter by letter and with one sigma, for how a whole word is lowered depends on where the letter stands in it.
  const lower = Array.from(text.normalize("NFKD").replace(/\p{M}/gu, ""), (letter) => letter.toLowerCase()).join("").replaceAll("ς", "σ");
  for (const character of lower) {
    if (ideographic.test(character)) {
      close(false);
      word = character;
      close(false);
    } else if (letter.test(character)) {
      word += character;
    } else if (character !== "'" && character !== "\u2019") {
      close("-\u2010\u2011_/".includes(character));
    }
  }
  close(false);
  return found;
}

// Without the plural's ending, and without what is beyond the longest word.
export function folded(word) {
  const cut = [...word].slice(0, longest).join("");
  const stem = cut.slice(0, -1);
  return cut.endsWith("s") && !stem.endsWith("s") && new TextEncoder().encode(stem).length > 2 ? stem : cut;
}

// Which of `count` files a word is in: by its first two letters, or, if it is a code, by all of its characters.
export const bucketOf = (word, count) => hash(isCode(word) ? [...word] : [...word].slice(0, 2)) % Math.max(count, 1);
export const endingBucketOf = (word, count) => hash([...word].reverse().slice(0, 2)) % Math.max(count, 1);
export const isCode = (word) => /[0-9]/.test(word);

function hash(characters) {
  let hash = 0x811c9dc5;
  for (const character of characters) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  return (hash ^ (hash >>> 15)) >>> 0;
}

// How many slips (a letter too many, missing, wrong, or two swapped) lie between two words; more than `most` is `most + 1`.
export function slips(a, b, most) {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const now = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      let cost = Math.min(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2] + 1);
      now.push(cost);
      least = Math.min(least, cost);
    }
    if (least > most) return most + 1;
    before = last;
    last = now;
  }
  return last[b.length];
}

// How many slips a word may have: none in short ones, where everything is near everything.
export const forgiven = (word) => (word.length < 4 || isCode(word) ? 0 : word.length < 8 ? 1 : 2);
