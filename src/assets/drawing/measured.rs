//! The measured drawing of a product page: front and temple to scale, with dimension lines in millimetres.
//!
//! It stands inline in the page and takes its colour from there: no ids, no styles of its own, only classes
//! (`measured`, `measured-frame`, `measured-line`, `measured-text`). Drawn 320 pixels wide, so that on the narrowest phones
//! its text is as large as it is written here.

use super::FrameDrawing;
use super::curve::number;
use super::front::{Front, Size};
use crate::assets::lettering::escape;
use crate::catalog::product::Measurements;
use std::fmt::Write;

const WIDTH: f64 = 320.0;
/// Room for the front; what is left on the right is for the lens height.
const FRONT: f64 = 258.0;
const LEFT: f64 = 4.0;
/// Height of text in pixels.
const TEXT: f64 = 13.0;

/// Draws a product's own measurements, as inline SVG with a spoken label; a page holds one at most. `word` says what a
/// measure is called, by the keys of the words files, and `millimetres` how long something is.
///
/// `None` when there is nothing to measure by (neither lens nor front width) or only a single figure is known.
pub fn measured<'w>(
    measurements: &Measurements,
    drawing: FrameDrawing,
    word: impl Fn(&'static str) -> &'w str,
    millimetres: impl Fn(f32) -> String,
) -> Option<String> {
    let known = [
        ("lens_width", measurements.lens_width),
        ("lens_height", measurements.lens_height),
        ("bridge", measurements.bridge),
        ("front_width", measurements.frame_width),
        ("temple", measurements.temple),
    ];
    let figures: Vec<(&'static str, f64)> =
        known.iter().filter_map(|(name, value)| Some((*name, f64::from((*value)?)))).collect();
    let measurable = measurements.lens_width.is_some() || measurements.frame_width.is_some();
    if !measurable || figures.len() < 2 {
        return None;
    }
    let figure = |name: &str| figures.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let size = Size {
        width: figure("lens_width").unwrap_or(f64::from(drawing.width)),
        height: figure("lens_height").unwrap_or(f64::from(drawing.height)),
        bridge: figure("bridge").unwrap_or(f64::from(drawing.bridge)),
    };

    // Sizes in mm first, then the scale that makes them fit, then the places in pixels.
    let mut front = Front::new(drawing, size, (0.0, 0.0), 1.0);
    if let Some(whole) = figure("front_width") {
        // A front narrower than its own lenses is a mistake of the catalogue; then the drawing follows the lenses.
        front.edge = (whole / 2.0 - front.half).max(size.width / 2.0 + 1.5);
    }
    let temple = figure("temple");
    let scale = FRONT / front.span().max(temple.unwrap_or(0.0) + 6.0);
    let above = if figure("front_width").is_some() { 30.0 } else { 8.0 };
    let eye_line = above + scale * (size.height / 2.0 + 7.0);
    let middle = LEFT + FRONT / 2.0;
    front.place((middle, eye_line), scale);

    let mut body = String::with_capacity(3072);
    let mirrored = number(2.0 * middle);
    let lines: String = front.lines().iter().map(|path| format!(r#"<path d="{path}"/>"#)).collect();
    let _ = write!(
        body,
        r##"<g class="measured-frame" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"><g id="measured-half">{lines}</g><use href="#measured-half" transform="matrix(-1 0 0 1 {mirrored} 0)"/>"##,
    );
    let lens_bottom = eye_line + scale * size.height / 2.0;
    let below = lens_bottom + scale * 5.0 + 10.0;
    let mut bottom = below + if figure("lens_width").or(figure("bridge")).is_some() { TEXT + 8.0 } else { 0.0 };

    let length = |value: f64| {
        let mut text = String::new();
        escape(&millimetres(value as f32), &mut text);
        text
    };
    let mut dimensions = Dimensions::default();
    if let Some(whole) = figure("front_width") {
        let reach = scale * front.span() / 2.0;
        dimensions.level(middle - reach, middle + reach, above - 10.0, above - 16.0, &length(whole));
    }
    if let Some(width) = figure("lens_width") {
        let left = middle - scale * (front.half + size.width / 2.0);
        dimensions.level(left, left + scale * size.width, below, below + TEXT + 2.0, &length(width));
    }
    if let Some(bridge) = figure("bridge") {
        let reach = scale * size.bridge / 2.0;
        dimensions.level(middle - reach, middle + reach, below, below + TEXT + 2.0, &length(bridge));
    }
    if let Some(height) = figure("lens_height") {
        let x = LEFT + FRONT + 9.0;
        dimensions.upright(x, eye_line - scale * size.height / 2.0, lens_bottom, &length(height));
    }
    if let Some(temple) = temple {
        let (start, end) = (middle - scale * temple / 2.0, middle + scale * temple / 2.0);
        let level = bottom + 14.0;
        let drop = scale * 24.0;
        side_view(&mut body, (start, end), level, drop, scale);
        let line = level + drop + 12.0;
        dimensions.level(start, end, line, line + TEXT + 2.0, &length(temple));
        bottom = line + TEXT + 8.0;
    }
    body.push_str("</g>");

    let mut spoken = String::new();
    let label: Vec<String> =
        figures.iter().map(|(name, value)| format!("{} {}", word(name), millimetres(*value as f32))).collect();
    escape(&label.join(", "), &mut spoken);
    Some(format!(
        r#"<svg class="measured" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" direction="ltr" aria-label="{}">{body}<g class="measured-line" fill="none" stroke="currentColor" stroke-width="1">{}</g><g class="measured-text" fill="currentColor" font-size="{}" text-anchor="middle">{}</g></svg>"#,
        number(WIDTH),
        number(bottom),
        spoken,
        dimensions.path(),
        number(TEXT),
        dimensions.texts,
    ))
}

/// A temple seen from the side, from the hinge on the left to the tip.
fn side_view(body: &mut String, (start, end): (f64, f64), level: f64, drop: f64, scale: f64) {
    let bend = start + (end - start) * 0.68;
    let (top, under) = (level - 1.7 * scale, level + 1.7 * scale);
    let (reach, tip) = ((end - bend) / 2.0, level + drop);
    let n = number;
    let _ = write!(
        body,
        r#"<path d="M{} {}L{} {}C{} {} {} {} {} {}q{} {} {} {}C{} {} {} {} {} {}L{} {}z"/>"#,
        n(start),
        n(top),
        n(bend),
        n(top),
        n(bend + reach),
        n(top),
        n(end - reach * 0.2),
        n(level + drop * 0.4),
        n(end),
        n(tip - 2.0),
        n(-1.0),
        n(4.0),
        n(-6.0),
        n(1.5),
        n(end - reach * 0.7),
        n(level + drop * 0.55),
        n(bend + reach * 0.7),
        n(under + 1.0),
        n(bend),
        n(under),
        n(start),
        n(under),
    );
}

/// Dimension lines and their figures.
#[derive(Default)]
struct Dimensions {
    lines: String,
    texts: String,
}

impl Dimensions {
    /// A level line from one place to another, its length standing on the base line `text`.
    fn level(&mut self, from: f64, to: f64, line: f64, text: f64, length: &str) {
        let tick = 4.0;
        let _ = write!(
            self.lines,
            "M{0} {1}v{2}M{3} {1}v{2}M{0} {4}H{3}",
            number(from),
            number(line - tick),
            number(2.0 * tick),
            number(to),
            number(line),
        );
        self.figure((from + to) / 2.0, text, length, "");
    }

    /// An upright line with its length beside it.
    fn upright(&mut self, x: f64, from: f64, to: f64, length: &str) {
        let tick = 4.0;
        let _ = write!(
            self.lines,
            "M{0} {1}h{2}M{0} {3}h{2}M{4} {1}V{3}",
            number(x - tick),
            number(from),
            number(2.0 * tick),
            number(to),
            number(x),
        );
        self.figure(x + 6.0, (from + to) / 2.0 + TEXT * 0.35, length, r#" text-anchor="start""#);
    }

    fn figure(&mut self, x: f64, y: f64, length: &str, anchor: &str) {
        let _ = write!(self.texts, r#"<text x="{}" y="{}"{anchor}>{length}</text>"#, number(x), number(y));
    }

    fn path(&self) -> String {
        format!(r#"<path d="{}"/>"#, self.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::product;
    use super::*;

    fn drawn(measurements: &Measurements, drawing: FrameDrawing) -> Option<String> {
        measured(measurements, drawing, |key| key, |length| format!("{length} mm"))
    }

    fn full() -> Measurements {
        Measurements {
            lens_width: Some(52.0),
            lens_height: Some(40.5),
            bridge: Some(18.0),
            temple: Some(145.0),
            frame_width: Some(138.0),
            frame_height: None,
            weight: None,
        }
    }

    #[test]
    fn every_known_figure_is_drawn_and_spoken() {
        let drawing = FrameDrawing::of(&product("round", &["acetate"], "black"));
        let svg = drawn(&full(), drawing).expect("enough is known");
        let label = "lens_width 52 mm, lens_height 40.5 mm, bridge 18 mm, front_width 138 mm, temple 145 mm";
        assert!(svg.contains(label), "{svg}");
        assert_eq!(svg.matches("<text ").count(), 5);
        for unwanted in [" style=", "url(", "NaN", "inf"] {
            assert!(!svg.contains(unwanted), "{unwanted} in {svg}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_claimed() {
        let drawing = FrameDrawing::of(&product("round", &["acetate"], "black"));
        let some = Measurements { lens_height: None, temple: None, ..full() };
        assert_eq!(drawn(&some, drawing).expect("enough is known").matches("<text ").count(), 3);
        assert_eq!(drawn(&Measurements::default(), drawing), None);
        let one = Measurements { lens_width: Some(52.0), ..Measurements::default() };
        assert_eq!(drawn(&one, drawing), None);
        let no_width = Measurements { bridge: Some(18.0), temple: Some(140.0), ..Measurements::default() };
        assert_eq!(drawn(&no_width, drawing), None);
    }

    #[test]
    fn lines_are_as_long_as_their_figures_say() {
        let drawing = FrameDrawing::of(&product("aviator", &["metal"], "gold"));
        let svg = drawn(&full(), drawing).expect("enough is known");
        let lines = svg.split("measured-line").nth(1).expect("lines");
        let lengths: Vec<f64> = lines
            .split('M')
            .filter_map(|part| {
                let (from, to) = part.split_once('H')?;
                let to: f64 = to.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()?;
                Some(to - from.split(' ').next()?.parse::<f64>().ok()?)
            })
            .collect();
        // In the order they are drawn: front, lens, bridge; the temple closes the path.
        for (length, figure) in lengths.iter().zip([138.0, 52.0, 18.0]) {
            assert!((length / lengths[0] - figure / 138.0).abs() < 0.005, "{lengths:?}");
        }
    }

    #[test]
    fn contradicting_figures_are_drawn_all_the_same() {
        let narrow = Measurements { frame_width: Some(80.0), lens_width: Some(90.0), ..full() };
        let drawing = FrameDrawing::of(&product("cat-eye", &["acetate"], "red"));
        assert!(drawn(&narrow, drawing).is_some_and(|svg| !svg.contains("NaN")));
    }
}
