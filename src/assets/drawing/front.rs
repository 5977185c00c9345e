//! The front view of a frame as an SVG file.
//!
//! Only the right-hand half (as seen) is drawn; the left-hand half is the same half mirrored, so both agree exactly.
//! Coordinates are millimetres around the middle of the lens, nose to the left, until the pen writes pixels.

use super::color::{Finish, Pattern, Rgb, hex, lightness, mix, shaded};
use super::curve::{Pen, Point, Ring, Tenths, at, number};
use super::outline;
use super::{Build, FrameDrawing, Rim, Tint};
use std::fmt::Write;

const WIDTH: f64 = 800.0;
/// Pixels to the millimetre, so that frames keep their relative sizes from card to card; only the widest are reduced.
const SCALE: f64 = 5.1;
const WIDEST: f64 = 760.0;
/// Height of the middle of the lenses in pixels; a little above the middle of the picture, to leave room for the shadow.
const EYE_LINE: f64 = 288.0;

/// Draws the whole file.
pub(super) fn svg(drawing: FrameDrawing) -> String {
    let size =
        Size { width: f64::from(drawing.width), height: f64::from(drawing.height), bridge: f64::from(drawing.bridge) };
    let mut front = Front::new(drawing, size, (WIDTH / 2.0, EYE_LINE), SCALE);
    front.place((WIDTH / 2.0, EYE_LINE), SCALE.min(WIDEST / front.span()));
    front.file()
}

/// Lens width, lens height and the distance between the lenses in mm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) bridge: f64,
}

/// Geometry that all parts share.
pub(super) struct Front {
    pub(super) drawing: FrameDrawing,
    pub(super) size: Size,
    /// Outline of the lens.
    pub(super) lens: Ring,
    /// Outer edge of the rim.
    pub(super) rim: Ring,
    /// Distance from the middle of the lens to the middle of the frame.
    pub(super) half: f64,
    /// Height of the middle of the end piece.
    pub(super) hinge: f64,
    /// Outer edge of the end piece.
    pub(super) edge: f64,
    /// Middle of the frame at the height of the middle of the lenses, in pixels.
    middle: (f64, f64),
    /// Pixels to the millimetre.
    pub(super) scale: f64,
}

/// Half the height of the end piece in mm.
pub(super) fn end_height(build: Build) -> f64 {
    match build {
        Build::Thick => 4.0,
        Build::Slim => 3.2,
        Build::Wire => 1.7,
    }
}

impl Front {
    /// `middle` is where the middle of the frame lies in pixels, at the height of the middle of the lenses; `scale` is
    /// pixels to the millimetre.
    pub(super) fn new(drawing: FrameDrawing, size: Size, middle: (f64, f64), scale: f64) -> Self {
        let Size { width, height, bridge } = size;
        let recipe = outline::recipe(drawing.shape);
        let lens = outline::lens(drawing.shape, width, height);
        let half = (width + bridge) / 2.0;
        let slack = bridge / 2.0 - 2.0;
        let [top, outer, bottom, nose] = match (drawing.build, drawing.rim) {
            (_, Rim::None) => [0.0; 4],
            (Build::Thick, _) => [4.2 + recipe.brow, 3.9, 3.1, 3.1],
            (Build::Slim, _) => [3.2 + 0.6 * recipe.brow, 2.8, 2.2, 2.3],
            (Build::Wire, _) => [0.7; 4],
        };
        let nose = nose.min(slack);
        let rim = lens.offset(|normal| {
            let upright = if normal.y > 0.0 { top } else { bottom };
            let level = if normal.x > 0.0 { outer } else { nose };
            level + (upright - level) * normal.y * normal.y
        });
        let reach = match drawing.build {
            Build::Thick => 3.0,
            Build::Slim => 2.6,
            Build::Wire => 4.6,
        };
        let edge = width / 2.0 + outer.max(0.7) + reach;
        let high = rim.0.iter().map(|sample| sample.at.y).fold(f64::MIN, f64::max);
        // Metal end pieces sit a little lower than the corners of a sheet front.
        let level = if drawing.build == Build::Wire { recipe.hinge.min(0.74) } else { recipe.hinge };
        let hinge = level * high - end_height(drawing.build);
        Self { drawing, size, lens, rim, half, hinge, edge, middle, scale }
    }

    /// Puts the drawing somewhere else, in another scale.
    pub(super) fn place(&mut self, middle: (f64, f64), scale: f64) {
        (self.middle, self.scale) = (middle, scale);
    }

    /// Width of the whole front in mm.
    pub(super) fn span(&self) -> f64 {
        2.0 * (self.half + self.edge)
    }

    pub(super) fn pen(&self) -> Pen {
        Pen::new(self.scale, (self.middle.0 + self.half * self.scale, self.middle.1))
    }

    /// A point in pixels, to be written.
    pub(super) fn spot(&self, point: Point) -> (Tenths, Tenths) {
        let x = self.middle.0 + (self.half + point.x) * self.scale;
        (number(x), number(self.middle.1 - point.y * self.scale))
    }

    fn file(&self) -> String {
        let mut out = String::with_capacity(4096);
        out.push_str(r#"<svg xmlns="http://www.w3.org/2000/svg" width="800" height="600" viewBox="0 0 800 600">"#);
        let metal = self.metal();
        let top = EYE_LINE - self.scale * (self.size.height / 2.0 + 6.0);
        let bottom = EYE_LINE + self.scale * (self.size.height / 2.0 + 4.0);
        out.push_str("<defs>");
        self.front_paint(&mut out, top, bottom);
        gradient(&mut out, "m", top, bottom, &metal_stops(metal));
        self.lens_paint(&mut out, top, bottom);
        out.push_str(
            r#"<radialGradient id="s"><stop stop-opacity=".22"/><stop offset=".6" stop-opacity=".07"/><stop offset="1" stop-opacity="0"/></radialGradient>"#,
        );
        let mut pen = self.pen();
        let outline = pen.start(self.lens.0[0].at).follow(&self.lens.closed(), 14).close().take();
        let _ = write!(out, r#"<clipPath id="c"><path id="l" d="{outline}"/></clipPath>"#);
        out.push_str(r#"<g id="h">"#);
        self.shadow(&mut out);
        self.temple(&mut out);
        self.lens(&mut out);
        out.push_str("</g>");
        out.push_str(r#"<g id="f">"#);
        self.parts(&mut out, &outline);
        out.push_str("</g></defs>");
        out.push_str(r##"<use href="#h"/><use href="#h" transform="matrix(-1 0 0 1 800 0)"/>"##);
        out.push_str(r##"<use href="#f"/><use href="#f" transform="matrix(-1 0 0 1 800 0)"/></svg>"##);
        out
    }

    /// The colour of fittings: bridge, hinges, rivets.
    pub(super) fn metal(&self) -> Rgb {
        let Finish { pattern, base, second, .. } = self.drawing.finish;
        match (self.drawing.build, pattern) {
            (_, Pattern::TwoTone) => second,
            (Build::Wire, _) => base,
            (_, Pattern::Tortoise) => [201, 170, 110],
            _ => [176, 180, 186],
        }
    }

    /// Paint of the front, `a`, from above to below.
    fn front_paint(&self, out: &mut String, top: f64, bottom: f64) {
        let Finish { pattern, base, second, matte } = self.drawing.finish;
        let gloss = if matte { 0.5 } else { 1.0 };
        match pattern {
            Pattern::Tortoise => self.tortoise(out, base),
            Pattern::Clear => gradient(
                out,
                "a",
                top,
                bottom,
                &[
                    (0.0, shaded(base, 0.25), 0.8),
                    (0.3, shaded(base, -0.1), 0.55),
                    (0.75, shaded(base, -0.06), 0.5),
                    (1.0, shaded(base, -0.24), 0.75),
                ],
            ),
            Pattern::Metallic => gradient(out, "a", top, bottom, &metal_stops(base)),
            Pattern::Fade => gradient(
                out,
                "a",
                top,
                bottom,
                &[(0.0, shaded(base, 0.08), 1.0), (0.25, base, 1.0), (0.85, second, 1.0)],
            ),
            Pattern::Solid | Pattern::TwoTone => {
                let dark = lightness(base) < 0.3;
                let light = if dark { 0.2 } else { 0.16 } * gloss;
                gradient(
                    out,
                    "a",
                    top,
                    bottom,
                    &[(0.0, shaded(base, light), 1.0), (0.3, base, 1.0), (1.0, shaded(base, -0.2 * gloss), 1.0)],
                );
            }
        }
    }

    /// Paint of the lens, `g`.
    fn lens_paint(&self, out: &mut String, top: f64, bottom: f64) {
        let white = [255; 3];
        match self.drawing.lens {
            Tint::Clear => gradient(out, "g", top, bottom, &[(0.0, white, 0.2), (1.0, [222, 234, 240], 0.34)]),
            Tint::BlueLight => {
                gradient(out, "g", top, bottom, &[(0.0, [196, 214, 255], 0.42), (1.0, [255, 248, 220], 0.34)]);
            }
            Tint::Dark(color) => {
                let deep = mix(color, [16, 18, 20], if lightness(color) > 0.3 { 0.45 } else { 0.3 });
                gradient(
                    out,
                    "g",
                    top,
                    bottom,
                    &[(0.0, deep, 0.96), (0.45, mix(deep, color, 0.5), 0.9), (1.0, shaded(color, 0.18), 0.72)],
                );
            }
            Tint::Mirror(color) => gradient(
                out,
                "g",
                top,
                bottom,
                &[
                    (0.0, shaded(color, -0.35), 0.97),
                    (0.42, color, 0.95),
                    (0.6, shaded(color, 0.45), 0.95),
                    (1.0, shaded(color, -0.1), 0.95),
                ],
            ),
        }
    }

    /// Paint `a`: flecks of two depths over the light ground. They are strewn along the rim and not in a repeating tile,
    /// because a tile's flecks would mostly fall on the lens, and its edges would show.
    fn tortoise(&self, out: &mut String, base: Rgb) {
        let mut seed = 0x9e37_79b9_u32;
        // A multiplicative generator: the same flecks in every run and on every machine.
        let mut any = |low: f64, high: f64| {
            seed = seed.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            low + (high - low) * f64::from(seed >> 16) / 65_535.0
        };
        let count = self.rim.0.len();
        let mut flecks = |amount: usize, long: (f64, f64), slim: (f64, f64)| {
            let mut path = String::new();
            for index in 0..amount {
                let around = (count * index / amount + any(0.0, count as f64 / amount as f64) as usize) % count;
                let middle = (self.lens.0[around].at + self.rim.0[around].at) * 0.5;
                let (x, y) = self.spot(middle + at(any(-2.2, 2.2), any(-2.2, 2.2)));
                let (along, across) = (any(long.0, long.1) * self.scale, any(slim.0, slim.1) * self.scale);
                let turn = any(0.0, 180.0);
                let _ = write!(path, "M{x} {y}a{along:.0} {across:.0} {turn:.0} 1 0 1 1z");
            }
            path
        };
        let (broad, fine) = (flecks(14, (5.0, 9.0), (2.4, 4.6)), flecks(20, (2.2, 5.4), (1.0, 2.4)));
        let high = self.rim.0.iter().map(|sample| sample.at.y).fold(f64::MIN, f64::max);
        let saddle = high - self.size.height * 0.13 - 3.5;
        let lone = [(at(2.2 - self.half, saddle), "a24 9 28"), (at(self.edge - 2.6, self.hinge - 1.0), "a15 11 60")];
        let lone = lone.map(|(place, ellipse)| {
            let (x, y) = self.spot(place);
            format!("M{x} {y}{ellipse} 1 0 1 1z")
        });
        let _ = write!(
            out,
            r##"<pattern id="a" patternUnits="userSpaceOnUse" width="800" height="600"><path fill="{}" d="M0 0h800v600H0z"/><path fill="{}" fill-opacity=".72" d="{broad}{}{}"/><path fill="{}" fill-opacity=".8" d="{fine}"/></pattern>"##,
            hex(base),
            hex(shaded(mix(base, [92, 44, 18], 0.5), -0.36)),
            lone[0],
            lone[1],
            hex(mix(base, [24, 12, 8], 0.88)),
        );
    }

    fn shadow(&self, out: &mut String) {
        let middle = WIDTH / 2.0 + self.half * self.scale;
        let floor = EYE_LINE + self.scale * (self.size.height / 2.0 + 5.0);
        let _ = write!(
            out,
            r#"<ellipse cx="{}" cy="{}" rx="{}" ry="11" fill="url(#s)"/>"#,
            number(middle),
            number(floor + 14.0),
            number(self.scale * self.size.width * 0.62),
        );
    }

    /// The temple, seen foreshortened behind the lens.
    fn temple(&self, out: &mut String) {
        let far = |point: Point, depth: f64| {
            // Seen from 600 mm away, at the height of the lens's middle.
            let nearer = 600.0 / (600.0 + depth);
            at((point.x + self.half) * nearer - self.half, point.y * nearer)
        };
        let color = match self.drawing.finish.pattern {
            Pattern::TwoTone => self.drawing.finish.second,
            Pattern::Tortoise => shaded(self.drawing.finish.base, -0.45),
            _ => shaded(self.drawing.finish.base, -0.12),
        };
        let wire = self.drawing.build == Build::Wire;
        let (near, thin) = if wire { (0.9, 0.8) } else { (2.6, 1.3) };
        let side = self.edge - 1.0;
        let floor = self.size.height * -0.3;
        let ear = far(at(side, self.hinge), 96.0);
        let tip = far(at(side - 2.0, (self.hinge - 36.0).max(floor * 1.23)), 138.0);
        let mut pen = self.pen();
        let path = pen
            .start(at(side, self.hinge + near))
            .line(ear + at(0.0, thin + 0.4))
            .curve(ear + at(-3.4, thin), ear + at(-4.2 - thin, -4.0), tip + at(-1.5, 0.6))
            .curve(tip + at(-1.5, -1.0), tip + at(1.3, -1.0), tip + at(1.4, 0.6))
            .curve(ear + at(-3.0 + thin, -6.0), ear + at(-1.4, -thin), ear + at(0.0, -thin - 0.2))
            .line(at(side, self.hinge - near))
            .close()
            .take();
        let opacity = if self.drawing.finish.pattern == Pattern::Clear { ".3" } else { ".42" };
        let _ = write!(out, r#"<path d="{path}" fill="{}" fill-opacity="{opacity}"/>"#, hex(color));
    }

    /// The lens with the rim's shade on it and two reflections.
    fn lens(&self, out: &mut String) {
        let (width, height) = (self.size.width, self.size.height);
        let streak = |left: f64, wide: f64| {
            let lean = height * 0.36;
            let up = height / 2.0 + 1.0;
            self.pen()
                .start(at(left + lean, up))
                .line(at(left + lean + wide, up))
                .line(at(left - lean + wide, -up))
                .line(at(left - lean, -up))
                .close()
                .take()
        };
        let shine = match self.drawing.lens {
            Tint::Clear | Tint::BlueLight => ".26",
            Tint::Dark(_) => ".1",
            Tint::Mirror(_) => ".22",
        };
        let _ = write!(
            out,
            r##"<g clip-path="url(#c)"><use href="#l" fill="url(#g)"/><path d="{}{}" fill="#fff" fill-opacity="{shine}"/>"##,
            streak(-width * 0.2, width * 0.16),
            streak(width * 0.02, width * 0.05),
        );
        if self.drawing.rim != Rim::None {
            out.push_str(r##"<use href="#l" fill="none" stroke="#000" stroke-opacity=".12" stroke-width="9"/>"##);
        }
        out.push_str("</g>");
    }
}

/// Light from above on a round wire.
fn metal_stops(metal: Rgb) -> [(f64, Rgb, f64); 4] {
    [
        (0.0, shaded(metal, 0.45), 1.0),
        (0.35, metal, 1.0),
        (0.7, shaded(metal, -0.22), 1.0),
        (1.0, shaded(metal, 0.25), 1.0),
    ]
}

/// A vertical gradient in the picture's own pixels, so that parts painted with it match where they meet.
fn gradient(out: &mut String, id: &str, top: f64, bottom: f64, stops: &[(f64, Rgb, f64)]) {
    let _ = write!(
        out,
        r#"<linearGradient id="{id}" gradientUnits="userSpaceOnUse" x1="0" y1="{}" x2="0" y2="{}">"#,
        number(top),
        number(bottom),
    );
    for (offset, color, opacity) in stops {
        let _ = write!(out, r#"<stop offset="{offset}" stop-color="{}""#, hex(*color));
        if *opacity < 1.0 {
            let _ = write!(out, r#" stop-opacity="{opacity}""#);
        }
        out.push_str("/>");
    }
    out.push_str("</linearGradient>");
}
