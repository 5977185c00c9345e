//! The parts of a front: sheet and brow of acetate, rim, bridge and end piece of wire, thread, screws, nose pads.

use super::color::{Pattern, hex, lightness, mix, shaded};
use super::curve::{Pen, Point, Sample, at, number};
use super::front::{Front, end_height};
use super::{Build, FrameDrawing, Rim};
use crate::catalog::vocabulary::FrameShape;
use std::fmt::Write;

/// Radius of the corners of an end piece in mm.
const CORNER: f64 = 1.5;
/// The half drawn reaches this far past the centre line in mm, so that no gap shows between the halves.
const OVERLAP: f64 = 0.1;

impl Front {
    /// Draws the front into the half that is mirrored; `lens` is the path of the lens.
    pub(super) fn parts(&self, out: &mut String, lens: &str) {
        match (self.drawing.rim, self.drawing.build, self.drawing.shape) {
            (Rim::None, ..) => self.rimless(out),
            (Rim::Half, Build::Wire, _) => {
                thread(out);
                self.wire(out, &self.upper_lens());
            }
            (Rim::Half, ..) => {
                thread(out);
                self.sheet(out, None);
            }
            (Rim::Full, Build::Wire, _) => self.wire(out, lens),
            (Rim::Full, _, FrameShape::Browline) => self.browline(out, lens),
            (Rim::Full, ..) => self.sheet(out, Some(lens)),
        }
    }

    /// The lines of the half for a technical drawing: what one would trace with a pencil.
    pub(super) fn lines(&self) -> Vec<String> {
        let lens = self.pen().start(self.lens.0[0].at).follow(&self.lens.closed(), 14).close().take();
        let FrameDrawing { rim, build, shape, .. } = self.drawing;
        match (rim, build, shape) {
            (Rim::None, ..) | (_, Build::Wire, _) => vec![lens, self.bridge_path(), self.end_path()],
            (Rim::Full, _, FrameShape::Browline) => {
                vec![lens, self.bridge_path(), self.brow_piece(&self.brow(172.0))]
            }
            _ => vec![lens, self.silhouette(&self.brow(112.0), rim == Rim::Half)],
        }
    }

    /// A front cut from a sheet: one silhouette with bridge and end piece in it, and a hole for the lens. Without a hole
    /// it leaves the lower edge of the lens free.
    fn sheet(&self, out: &mut String, hole: Option<&str>) {
        let brow = self.brow(112.0);
        let silhouette = self.silhouette(&brow, hole.is_none());
        self.cut(out, &(silhouette + hole.unwrap_or_default()), &brow);
    }

    /// The silhouette of a sheet front, open where the other half begins.
    fn silhouette(&self, brow: &[Sample], half_rim: bool) -> String {
        let thick = self.drawing.build == Build::Thick;
        let centre = -self.half - OVERLAP;
        let high = self.rim.0[self.rim.facing(90.0)].at.y;
        let saddle = at(centre, high - self.size.height * 0.13 - 1.0);
        let arch = saddle - at(0.0, if thick { 5.8 } else { 4.2 });

        let mut pen = self.pen();
        pen.start(saddle).swing(at(1.0, 0.0), brow[0].tangent, brow[0].at, 0.4).follow(brow, 6);
        self.end_piece(&mut pen, brow[brow.len() - 1]);
        if !half_rim {
            let below = self.hinge - end_height(self.drawing.build);
            let under = self.rim.clockwise(self.rim.beside(true, below - 2.6), self.rim.facing(186.0));
            pen.swing(at(-1.0, -0.1), under[0].tangent, under[0].at, 0.42).follow(&under, 8);
            pen.swing(under[under.len() - 1].tangent, at(-1.0, 0.0), arch, 0.5);
        } else {
            self.tail(&mut pen);
            pen.follow(&self.upper_edge(), 8);
            let from = self.lens.beside(false, self.free_below());
            let nose = self.lens.clockwise(from, self.lens.beside(false, arch.y - 8.0));
            let nose = widening(&nose, 0.5, 2.2);
            pen.line(nose[0].at).follow(&nose, 3).swing(nose[nose.len() - 1].tangent, at(-1.0, 0.0), arch, 0.5);
        }
        pen.take()
    }

    /// A brow of acetate over a rim of wire.
    fn browline(&self, out: &mut String, lens: &str) {
        self.wire_without_ends(out, lens);
        let brow = self.brow(172.0);
        self.cut(out, &self.brow_piece(&brow), &brow);
    }

    /// The silhouette of a brow that lies on the upper half of the lens and thins out at both sides.
    fn brow_piece(&self, brow: &[Sample]) -> String {
        let inner = self.upper_edge();
        let mut pen = self.pen();
        pen.start(inner[inner.len() - 1].at + at(-0.9, 0.0));
        pen.swing(at(-0.2, 1.0), brow[0].tangent, brow[0].at, 0.4).follow(brow, 8);
        self.end_piece(&mut pen, brow[brow.len() - 1]);
        self.tail(&mut pen);
        pen.follow(&inner, 8).close().take()
    }

    /// Outer edge of the rim from the nose side, over the top, to where the end piece begins.
    fn brow(&self, from: f64) -> Vec<Sample> {
        let above = self.hinge + end_height(self.drawing.build);
        let rim = &self.rim;
        let (from, top) = (rim.facing(from), rim.facing(90.0));
        let mut brow = rim.clockwise(from, top);
        let corner = rim.clockwise(top, rim.facing(20.0));
        brow.extend(corner.into_iter().skip(1).take_while(|sample| sample.at.y > above + 1.2));
        brow
    }

    /// Height below which a half rim leaves the lens free.
    fn free_below(&self) -> f64 {
        self.size.height * -0.1
    }

    /// Edge of the lens from the outer side over the top to the nose side, as far as a half rim goes.
    fn upper_edge(&self) -> Vec<Sample> {
        let height = self.free_below();
        let (outer, nose) = (self.lens.beside(true, height), self.lens.beside(false, height));
        let mut samples = self.lens.clockwise(nose, outer);
        samples.reverse();
        samples.iter().map(|sample| Sample { at: sample.at, tangent: sample.tangent * -1.0 }).collect()
    }

    fn upper_lens(&self) -> String {
        let upper = self.upper_edge();
        self.pen().start(upper[0].at).follow(&upper, 8).take()
    }

    /// Continues a silhouette from the end piece down the outer side of the lens, thinning out, to the end of a half rim.
    fn tail(&self, pen: &mut Pen) {
        let from = (self.hinge - end_height(self.drawing.build) - 2.6).max(self.free_below() + 2.0);
        let side = self.lens.clockwise(self.lens.beside(true, from), self.lens.beside(true, self.free_below()));
        let side = widening(&side, 2.4, 0.5);
        pen.swing(at(-1.0, -0.1), side[0].tangent, side[0].at, 0.42).follow(&side, 3);
        pen.line(self.lens.0[self.lens.beside(true, self.free_below())].at);
    }

    /// Continues a silhouette round the end piece, to its lower inner corner.
    fn end_piece(&self, pen: &mut Pen, from: Sample) {
        let end = end_height(self.drawing.build);
        let (above, below) = (self.hinge + end, self.hinge - end);
        pen.swing(from.tangent, at(1.0, -0.04), at(self.edge - CORNER, above), 0.36)
            .corner(at(self.edge, above), at(self.edge, above - CORNER))
            .line(at(self.edge - 0.5, below + CORNER))
            .corner(at(self.edge - 0.6, below), at(self.edge - CORNER - 0.6, below - 0.1));
    }

    /// Fills a silhouette with the front's paint, with its edge, light along the brow, and rivets.
    fn cut(&self, out: &mut String, silhouette: &str, brow: &[Sample]) {
        let finish = self.drawing.finish;
        let thick = self.drawing.build == Build::Thick;
        let dark = lightness(finish.base) < 0.3;
        // A dark frame has a lighter edge, so that it stands out from a dark page.
        let edge = match finish.pattern {
            Pattern::Tortoise => shaded(finish.base, -0.66),
            Pattern::Clear => shaded(finish.base, -0.42),
            _ if dark => mix(finish.base, [150, 155, 165], 0.36),
            _ => shaded(finish.base, -0.28),
        };
        let light = match (finish.matte, dark) {
            (true, _) => ".12",
            (false, true) => ".3",
            (false, false) => ".45",
        };
        let (inset, width) = if thick { (1.5, "3.2") } else { (1.0, "2.2") };
        let lit: Vec<Sample> = brow[brow.len() / 6..]
            .iter()
            .map(|sample| Sample { at: sample.at + at(sample.tangent.y, -sample.tangent.x) * inset, ..*sample })
            .collect();
        let glint = self.pen().start(lit[0].at).follow(&lit, 5).take();
        let _ = write!(
            out,
            r##"<path d="{silhouette}" fill="url(#a)" fill-rule="evenodd" stroke="{}" stroke-width="1.6"/><path d="{glint}" fill="none" stroke="#fff" stroke-opacity="{light}" stroke-width="{width}" stroke-linecap="round"/>"##,
            hex(edge),
        );
        if thick {
            self.stud(out, at(self.edge - 4.2, self.hinge), 3.4);
        }
    }

    /// A rivet or screw, its radius in pixels.
    fn stud(&self, out: &mut String, place: Point, radius: f64) {
        let (x, y) = self.spot(place);
        let _ = write!(
            out,
            r#"<circle cx="{x}" cy="{y}" r="{}" fill="url(#m)" stroke="{}" stroke-width=".8"/>"#,
            number(radius),
            hex(shaded(self.metal(), -0.4)),
        );
    }

    /// Strokes a path as polished wire: a darker edge with the metal on it.
    fn strand(&self, out: &mut String, path: &str, thickness: f64) {
        let metal = self.metal();
        let edge = if lightness(metal) < 0.3 { mix(metal, [150, 155, 165], 0.3) } else { shaded(metal, -0.42) };
        let width = thickness * self.scale;
        let _ = write!(
            out,
            r##"<g fill="none"><path d="{path}" stroke="{}" stroke-width="{}"/><path d="{path}" stroke="url(#m)" stroke-width="{}"/></g>"##,
            hex(edge),
            number(width),
            number(width - 2.2),
        );
    }

    fn wire(&self, out: &mut String, rim: &str) {
        self.wire_end(out);
        self.wire_without_ends(out, rim);
    }

    fn wire_without_ends(&self, out: &mut String, rim: &str) {
        self.nose_pad(out);
        self.wire_bridge(out);
        self.strand(out, rim, 1.6);
    }

    fn rimless(&self, out: &mut String) {
        out.push_str(
            r##"<g fill="none"><use href="#l" stroke="#6f7d83" stroke-opacity=".85" stroke-width="2.4"/><use href="#l" stroke="#fff" stroke-opacity=".5"/></g>"##,
        );
        self.nose_pad(out);
        self.wire_bridge(out);
        self.wire_end(out);
        let outer = self.lens.0[self.lens.beside(true, self.hinge)].at;
        self.stud(out, outer + at(-2.2, -0.3), 4.2);
        let nose = self.lens.0[self.lens.beside(false, self.bridge_height())].at;
        self.stud(out, nose + at(2.2, -0.3), 4.2);
    }

    /// Height at which a metal bridge meets the lens.
    fn bridge_height(&self) -> f64 {
        let share = if self.drawing.shape == FrameShape::Aviator { 0.1 } else { 0.2 };
        self.size.height * share
    }

    /// The metal bridge, from the rim to the centre line.
    fn bridge_path(&self) -> String {
        let height = self.bridge_height();
        let inward = if self.drawing.rim == Rim::None { 2.2 } else { 0.2 };
        let foot = self.lens.0[self.lens.beside(false, height)].at + at(inward, 0.0);
        let centre = -self.half - OVERLAP / 2.0;
        let arch = at(centre, height + self.size.bridge * 0.13);
        self.pen().start(foot).swing(at(-1.0, 0.5), at(-1.0, 0.0), arch, 0.42).take()
    }

    fn wire_bridge(&self, out: &mut String) {
        self.strand(out, &self.bridge_path(), 1.9);
        if self.drawing.shape == FrameShape::Aviator && self.drawing.rim == Rim::Full {
            // The brow bar of the pilot's shape.
            let from = self.lens.0[self.lens.facing(106.0)].at;
            let centre = -self.half - OVERLAP / 2.0;
            let path =
                self.pen().start(from).swing(at(-1.0, 0.05), at(-1.0, 0.0), at(centre, from.y + 0.6), 0.4).take();
            self.strand(out, &path, 1.6);
        }
    }

    /// The end piece of a metal frame: it leaves the rim and ends in the block that holds the hinge.
    fn end_path(&self) -> String {
        let inward = if self.drawing.rim == Rim::None { 2.4 } else { 0.2 };
        let root = self.lens.0[self.lens.beside(true, self.hinge)].at + at(-inward, 0.0);
        let (x, y) = (self.edge, self.hinge);
        self.pen()
            .start(root + at(0.0, 0.9))
            .swing(at(1.0, 0.25), at(1.0, 0.0), at(x - 0.8, y + 1.7), 0.36)
            .corner(at(x, y + 1.7), at(x, y + 0.9))
            .line(at(x - 0.1, y - 1.1))
            .corner(at(x - 0.1, y - 1.9), at(x - 1.0, y - 1.9))
            .swing(at(-1.0, 0.1), at(-1.0, 0.0), root + at(0.0, -0.9), 0.4)
            .close()
            .take()
    }

    fn wire_end(&self, out: &mut String) {
        let metal = self.metal();
        let edge = if lightness(metal) < 0.3 { mix(metal, [150, 155, 165], 0.3) } else { shaded(metal, -0.42) };
        let _ =
            write!(out, r#"<path d="{}" fill="url(#m)" stroke="{}" stroke-width="1.1"/>"#, self.end_path(), hex(edge));
    }

    /// Silicone nose pad on its arm.
    fn nose_pad(&self, out: &mut String) {
        let root = self.lens.0[self.lens.beside(false, self.size.height * -0.08)].at;
        let pad = root + at(-2.1, -1.6);
        let arm = self
            .pen()
            .start(root + at(-0.2, 1.8))
            .curve(root + at(-1.6, 3.2), root + at(-2.8, 1.4), pad + at(0.3, 0.6))
            .take();
        let (x, y) = self.spot(pad);
        let _ = write!(
            out,
            r##"<path d="{arm}" fill="none" stroke="{}" stroke-width="2.6"/><ellipse cx="{x}" cy="{y}" rx="{}" ry="{}" transform="rotate(16 {x} {y})" fill="#f4f6f7" fill-opacity=".8" stroke="#7b858c" stroke-width="1.4"/>"##,
            hex(shaded(self.metal(), -0.2)),
            number(1.4 * self.scale),
            number(3.5 * self.scale),
        );
    }
}

/// The thread that holds the lower edge of a lens.
fn thread(out: &mut String) {
    out.push_str(r##"<use href="#l" fill="none" stroke="#7d868d" stroke-opacity=".75" stroke-width="2"/>"##);
}

/// A line that runs along others (clockwise) at a distance growing or shrinking from one value to another, in mm.
fn widening(samples: &[Sample], from: f64, to: f64) -> Vec<Sample> {
    let steps = samples.len().saturating_sub(1).max(1) as f64;
    let along = samples.iter().enumerate().map(|(step, sample)| {
        let outside = at(-sample.tangent.y, sample.tangent.x);
        Sample { at: sample.at + outside * (from + (to - from) * step as f64 / steps), ..*sample }
    });
    along.collect()
}
