//! What a frame or a lens is coloured like: words of a catalogue in, colours and a pattern out.
//!
//! Every word of a colour's key is looked up, so `dark-tortoise`, `crystal-rose` and `black-gold` mean what they say.

use serde::{Deserialize, Serialize};

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

/// How a surface takes its colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) enum Pattern {
    /// One colour.
    Solid,
    /// Dark flecks in a lighter ground.
    Tortoise,
    /// Light shines through.
    Clear,
    /// Polished metal.
    Metallic,
    /// From one colour above to another below.
    Fade,
    /// Front in one colour, temples and fittings in another.
    TwoTone,
}

/// The look of a surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct Finish {
    pub(super) pattern: Pattern,
    pub(super) base: Rgb,
    /// The other colour of [`Pattern::Fade`] and [`Pattern::TwoTone`]; equal to `base` otherwise.
    pub(super) second: Rgb,
    pub(super) matte: bool,
}

impl Finish {
    /// A plain surface.
    pub(super) fn solid(base: Rgb) -> Self {
        Self { pattern: Pattern::Solid, base, second: base, matte: false }
    }

    /// Reads the key of a colour; `None` when no word of it is known.
    pub(super) fn named(key: &str) -> Option<Self> {
        let words: Vec<&str> = key.split('-').filter(|word| !word.is_empty()).collect();
        let mut found: Vec<(Rgb, Pattern)> = Vec::new();
        let (mut matte, mut fade, mut clear, mut shade) = (false, false, false, 0.0);
        let mut index = 0;
        while index < words.len() {
            let pair = words.get(index + 1).map(|next| [words[index], *next].concat());
            if let Some(color) = pair.and_then(|pair| lookup(&pair)) {
                found.push(color);
                index += 2;
                continue;
            }
            match words[index] {
                "matte" | "matt" | "mat" | "satin" | "brushed" => matte = true,
                "fade" | "faded" | "gradient" | "ombre" | "degrade" => fade = true,
                "crystal" | "clear" | "transparent" | "translucent" | "transparente" => clear = true,
                "light" | "pale" | "soft" | "pastel" => shade = 0.35,
                "dark" | "deep" => shade = -0.35,
                word => found.extend(lookup(word)),
            }
            index += 1;
        }
        if found.is_empty() {
            return clear.then_some(Self { pattern: Pattern::Clear, matte, ..Self::solid([226, 232, 236]) });
        }
        let tortoise = found.iter().any(|(_, pattern)| *pattern == Pattern::Tortoise);
        if tortoise {
            // A second colour tints the lighter ground: blue tortoise, blush havana.
            let tint = found.iter().find(|(_, pattern)| *pattern != Pattern::Tortoise).map(|(rgb, _)| *rgb);
            let base = shaded(tint.unwrap_or(TORTOISE), shade);
            return Some(Self { pattern: Pattern::Tortoise, matte, ..Self::solid(base) });
        }
        let (base, pattern) = (shaded(found[0].0, shade), found[0].1);
        let second = found.get(1).map_or(base, |(rgb, _)| *rgb);
        let pattern = match (clear, fade, second != base) {
            (true, _, _) => Pattern::Clear,
            (_, true, _) => Pattern::Fade,
            (_, _, true) => Pattern::TwoTone,
            _ => pattern,
        };
        let second = match pattern {
            Pattern::Fade if second == base => mix(base, [250, 248, 244], 0.65),
            Pattern::Fade | Pattern::TwoTone => second,
            _ => base,
        };
        Some(Self { pattern, base, second, matte })
    }

    /// Reads `#rrggbb`.
    pub(super) fn hex(text: &str) -> Option<Self> {
        crate::config::Color::parse(text).map(|color| Self::solid(color.rgb))
    }
}

/// The light ground of tortoiseshell.
const TORTOISE: Rgb = [156, 94, 46];

fn lookup(word: &str) -> Option<(Rgb, Pattern)> {
    use Pattern::{Clear, Metallic, Solid, Tortoise};
    Some(match word {
        "black" | "noir" | "schwarz" | "negro" | "onyx" | "ebony" | "jet" => ([27, 27, 30], Solid),
        "charcoal" | "graphite" | "anthracite" => ([62, 66, 72], Solid),
        "grey" | "gray" | "slate" | "smoke" | "smoky" => ([118, 124, 131], Solid),
        "ash" | "stone" | "fog" => ([163, 163, 158], Solid),
        "white" | "pearl" | "snow" => ([241, 240, 236], Solid),
        "ivory" | "cream" | "bone" | "milk" => ([232, 222, 200], Solid),
        "beige" | "sand" | "nude" | "latte" => ([205, 179, 145], Solid),
        "brown" | "chocolate" | "coffee" | "mocha" | "walnut" => ([94, 62, 42], Solid),
        "espresso" | "umber" => ([62, 42, 32], Solid),
        "tan" | "camel" | "caramel" | "toffee" => ([178, 124, 74], Solid),
        "chestnut" | "cognac" | "amber" | "honey" | "whisky" | "whiskey" => ([170, 98, 38], Solid),
        "tortoise" | "tortoiseshell" | "havana" | "havanna" | "tort" | "turtle" | "demi" | "leopard" => {
            (TORTOISE, Tortoise)
        }
        "horn" => ([124, 96, 70], Tortoise),
        "oak" | "wood" | "bamboo" | "maple" => ([164, 116, 70], Solid),
        "champagne" => ([222, 198, 160], Clear),
        "red" | "ruby" | "cherry" | "scarlet" => ([178, 34, 40], Solid),
        "burgundy" | "bordeaux" | "wine" | "maroon" | "oxblood" | "merlot" => ([104, 24, 40], Solid),
        "rust" | "terracotta" | "brick" => ([168, 76, 48], Solid),
        "coral" | "salmon" | "peach" => ([232, 130, 108], Solid),
        "orange" | "tangerine" => ([222, 118, 36], Solid),
        "yellow" | "mustard" | "lemon" => ([216, 172, 48], Solid),
        "pink" | "rose" | "blush" | "dustyrose" => ([216, 148, 152], Solid),
        "fuchsia" | "magenta" | "raspberry" => ([182, 44, 104], Solid),
        "purple" | "violet" | "aubergine" => ([92, 58, 118], Solid),
        "plum" | "mauve" => ([118, 72, 98], Solid),
        "lilac" | "lavender" => ([168, 152, 200], Solid),
        "blue" | "royal" | "cobalt" | "sapphire" | "denim" => ([44, 82, 148], Solid),
        "navy" | "midnight" | "ink" | "indigo" => ([32, 44, 78], Solid),
        "sky" | "azure" | "ice" => ([142, 182, 212], Solid),
        "teal" | "petrol" | "turquoise" => ([30, 104, 112], Solid),
        "aqua" | "mint" => ([150, 204, 190], Solid),
        "green" | "emerald" | "forest" | "bottle" => ([40, 92, 66], Solid),
        "olive" | "khaki" | "moss" | "army" => ([98, 98, 56], Solid),
        "sage" | "eucalyptus" => ([142, 158, 134], Solid),
        "gold" | "golden" | "brass" => ([201, 162, 84], Metallic),
        "palegold" | "lightgold" => ([218, 190, 130], Metallic),
        "rosegold" | "pinkgold" => ([206, 148, 128], Metallic),
        "silver" | "chrome" | "platinum" | "steel" | "titanium" | "nickel" | "palladium" => ([176, 181, 187], Metallic),
        "gunmetal" | "gun" | "ruthenium" | "darksilver" => ([86, 91, 98], Metallic),
        "bronze" | "antique" => ([138, 104, 66], Metallic),
        "copper" => ([178, 112, 76], Metallic),
        _ => return None,
    })
}

/// Part of the way from one colour to another; 0 is `from`, 1 is `to`.
pub(super) fn mix(from: Rgb, to: Rgb, share: f64) -> Rgb {
    std::array::from_fn(|i| {
        let (from, to) = (f64::from(from[i]), f64::from(to[i]));
        (from + (to - from) * share).round().clamp(0.0, 255.0) as u8
    })
}

/// Towards white (positive) or black (negative).
pub(super) fn shaded(color: Rgb, share: f64) -> Rgb {
    if share >= 0.0 { mix(color, [255; 3], share) } else { mix(color, [0; 3], -share) }
}

/// How light a colour looks, 0..=1, good enough to choose between light and dark details.
pub(super) fn lightness([red, green, blue]: Rgb) -> f64 {
    (0.299 * f64::from(red) + 0.587 * f64::from(green) + 0.114 * f64::from(blue)) / 255.0
}

/// `#rrggbb`, or `#rgb` where that is the same.
pub(super) fn hex([red, green, blue]: Rgb) -> String {
    let short = |part: u8| part >> 4 == part & 15;
    if short(red) && short(green) && short(blue) {
        return format!("#{:x}{:x}{:x}", red & 15, green & 15, blue & 15);
    }
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(key: &str) -> Option<Pattern> {
        Finish::named(key).map(|finish| finish.pattern)
    }

    #[test]
    fn words_of_a_color_are_understood_together() {
        assert_eq!(pattern("black"), Some(Pattern::Solid));
        assert_eq!(pattern("dark-tortoise"), Some(Pattern::Tortoise));
        assert_eq!(pattern("crystal"), Some(Pattern::Clear));
        assert_eq!(pattern("crystal-rose"), Some(Pattern::Clear));
        assert_eq!(pattern("black-gold"), Some(Pattern::TwoTone));
        assert_eq!(pattern("brown-fade"), Some(Pattern::Fade));
        assert_eq!(pattern("rose-gold"), Some(Pattern::Metallic));
        assert_eq!(pattern("xyzzy"), None);
        assert_ne!(Finish::named("rose-gold"), Finish::named("gold"));
        assert_ne!(Finish::named("blue-tortoise"), Finish::named("tortoise"));
        assert!(Finish::named("matte-black").is_some_and(|finish| finish.matte));
        assert!(lightness(Finish::named("light-blue").unwrap().base) > lightness(Finish::named("blue").unwrap().base));
    }
}
