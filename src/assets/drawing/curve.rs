//! Plane curves in millimetres: dense samples in, few Bézier segments out.
//!
//! A curve is sampled densely (so that any deformation and any offset is easy), then fitted with a handful of cubic
//! segments, dense where it bends. `y` grows upwards here; only [`Pen`] knows about SVG's downward axis.

use std::fmt;
use std::ops::{Add, Mul, Sub};

/// A point or a direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Shorthand for [`Point`].
pub(super) fn at(x: f64, y: f64) -> Point {
    Point { x, y }
}

impl Point {
    pub(super) fn length(self) -> f64 {
        (self.x * self.x + self.y * self.y).sqrt()
    }

    pub(super) fn unit(self) -> Self {
        let length = self.length();
        if length > 0.0 { self * (1.0 / length) } else { self }
    }
}

impl Add for Point {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        at(self.x + other.x, self.y + other.y)
    }
}

impl Sub for Point {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        at(self.x - other.x, self.y - other.y)
    }
}

impl Mul<f64> for Point {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        at(self.x * factor, self.y * factor)
    }
}

/// A point of a curve and the unit direction in which the curve leaves it, counter-clockwise.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) at: Point,
    pub(super) tangent: Point,
}

impl Sample {
    /// Unit direction to the outside.
    pub(super) fn normal(self) -> Point {
        at(self.tangent.y, -self.tangent.x)
    }
}

/// A closed curve, counter-clockwise from its outermost point.
#[derive(Clone, Debug)]
pub(super) struct Ring(pub(super) Vec<Sample>);

impl Ring {
    /// Joins points up; they must stand counter-clockwise and be distinct.
    pub(super) fn through(points: &[Point]) -> Self {
        let count = points.len();
        let samples = (0..count).map(|i| {
            let ahead = points[(i + 1) % count];
            let behind = points[(i + count - 1) % count];
            Sample { at: points[i], tangent: (ahead - behind).unit() }
        });
        Self(samples.collect())
    }

    /// The curve at a distance (outwards positive) that may depend on the direction to the outside.
    pub(super) fn offset(&self, distance: impl Fn(Point) -> f64) -> Self {
        let moved: Vec<Point> =
            self.0.iter().map(|sample| sample.at + sample.normal() * distance(sample.normal())).collect();
        Self::through(&moved)
    }

    /// Samples from one index to another, clockwise, wrapping; tangents turned to match.
    pub(super) fn clockwise(&self, from: usize, to: usize) -> Vec<Sample> {
        let count = self.0.len();
        let steps = (from + count - to) % count;
        (0..=steps)
            .map(|step| {
                let sample = self.0[(from + count - step) % count];
                Sample { at: sample.at, tangent: sample.tangent * -1.0 }
            })
            .collect()
    }

    /// The whole ring as an open list that ends where it starts.
    pub(super) fn closed(&self) -> Vec<Sample> {
        let mut samples = self.0.clone();
        samples.extend(self.0.first().copied());
        samples
    }

    /// Index of the sample whose outside faces a direction, in degrees counter-clockwise from the outer side.
    pub(super) fn facing(&self, degrees: f64) -> usize {
        let (y, x) = degrees.to_radians().sin_cos();
        self.furthest(|sample| sample.normal().x * x + sample.normal().y * y)
    }

    /// Index of the sample of one side (outer, or nose) that lies at a height.
    pub(super) fn beside(&self, outer: bool, height: f64) -> usize {
        self.furthest(|sample| {
            let other_side = if (sample.normal().x > 0.0) == outer { 0.0 } else { 1e3 };
            -(sample.at.y - height).abs() - other_side
        })
    }

    /// Index of the sample for which a measure is greatest.
    fn furthest(&self, measure: impl Fn(Sample) -> f64) -> usize {
        let mut best = (0, f64::MIN);
        for (index, sample) in self.0.iter().enumerate() {
            let value = measure(*sample);
            if value > best.1 {
                best = (index, value);
            }
        }
        best.0
    }
}

/// Writes SVG path data: millimetres in, relative commands in tenths of a pixel out.
///
/// Positions are rounded before differences are taken, so rounding never adds up along a path.
pub(super) struct Pen {
    path: String,
    scale: f64,
    origin: (f64, f64),
    here: (i32, i32),
    place: Point,
}

impl Pen {
    /// `origin` is where the point (0, 0) lies in pixels; `scale` is pixels to the millimetre.
    pub(super) fn new(scale: f64, origin: (f64, f64)) -> Self {
        Self { path: String::with_capacity(512), scale, origin, here: (0, 0), place: at(0.0, 0.0) }
    }

    pub(super) fn start(&mut self, to: Point) -> &mut Self {
        let (x, y) = self.pixel(to);
        self.path.push('M');
        push_tenths(&mut self.path, x, true);
        push_tenths(&mut self.path, y, false);
        self.here = (x, y);
        self.place = to;
        self
    }

    pub(super) fn line(&mut self, to: Point) -> &mut Self {
        self.command('l', &[to])
    }

    /// A rounded corner with its tip at `tip`.
    pub(super) fn corner(&mut self, tip: Point, to: Point) -> &mut Self {
        self.command('q', &[tip, to])
    }

    pub(super) fn curve(&mut self, first: Point, second: Point, to: Point) -> &mut Self {
        self.command('c', &[first, second, to])
    }

    /// A curve that leaves in one direction and arrives in another; `pull` is the length of both handles as a share
    /// of the distance.
    pub(super) fn swing(&mut self, leaving: Point, arriving: Point, to: Point, pull: f64) -> &mut Self {
        let reach = (to - self.place).length() * pull;
        let (first, second) = (self.place + leaving.unit() * reach, to - arriving.unit() * reach);
        self.curve(first, second, to)
    }

    /// Follows samples with at most `segments` curves; the pen must stand on the first one.
    pub(super) fn follow(&mut self, samples: &[Sample], segments: usize) -> &mut Self {
        for pair in knots(samples, segments).windows(2) {
            let (from, to) = (samples[pair[0]], samples[pair[1]]);
            let chord = (to.at - from.at).length();
            let cosine = (from.tangent.x * to.tangent.x + from.tangent.y * to.tangent.y).clamp(-1.0, 1.0);
            let turn = cosine.acos();
            // Handle length that is exact for an arc of a circle.
            let handle =
                if turn < 1e-3 { chord / 3.0 } else { chord * (2.0 / 3.0) * (turn / 4.0).tan() / (turn / 2.0).sin() };
            self.curve(from.at + from.tangent * handle, to.at - to.tangent * handle, to.at);
        }
        self
    }

    pub(super) fn close(&mut self) -> &mut Self {
        self.path.push('z');
        self
    }

    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.path)
    }

    fn pixel(&self, point: Point) -> (i32, i32) {
        let x = self.origin.0 + point.x * self.scale;
        let y = self.origin.1 - point.y * self.scale;
        ((x * 10.0).round() as i32, (y * 10.0).round() as i32)
    }

    fn command(&mut self, letter: char, points: &[Point]) -> &mut Self {
        self.path.push(letter);
        let mut first = true;
        let mut last = self.here;
        for point in points {
            last = self.pixel(*point);
            push_tenths(&mut self.path, last.0 - self.here.0, first);
            push_tenths(&mut self.path, last.1 - self.here.1, false);
            first = false;
        }
        self.here = last;
        if let Some(end) = points.last() {
            self.place = *end;
        }
        self
    }
}

/// Indices of the samples at which segments meet: more where the curve turns more.
fn knots(samples: &[Sample], segments: usize) -> Vec<usize> {
    let mut reached = Vec::with_capacity(samples.len());
    let mut total = 0.0;
    reached.push(0.0);
    for pair in samples.windows(2) {
        let length = (pair[1].at - pair[0].at).length();
        let turn = (pair[1].tangent - pair[0].tangent).length();
        total += (turn * length).sqrt() + 0.05 * length;
        reached.push(total);
    }
    let last = samples.len().saturating_sub(1);
    let mut chosen: Vec<usize> = Vec::with_capacity(segments + 1);
    let mut index = 0;
    for knot in 0..segments {
        let goal = total * knot as f64 / segments as f64;
        while index < last && reached[index] < goal {
            index += 1;
        }
        if chosen.last() != Some(&index) && index < last {
            chosen.push(index);
        }
    }
    chosen.push(last);
    chosen
}

/// Writes a number of tenths in the fewest characters: `12`, `-.5`; a blank only where one is needed.
fn push_tenths(path: &mut String, tenths: i32, first: bool) {
    if tenths >= 0 && !first {
        path.push(' ');
    }
    Tenths(tenths).with_text(|text| path.push_str(text));
}

/// A number of pixels in the fewest characters, at most one decimal.
pub(super) fn number(pixels: f64) -> Tenths {
    Tenths((pixels * 10.0).round() as i32)
}

/// A number of tenths, to be written as [`Pen`] writes them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tenths(i32);

impl Tenths {
    /// Calls `take` with the number as text. Written from behind, by hand: the usual formatting is the larger part of the
    /// time a drawing takes.
    fn with_text<T>(self, take: impl FnOnce(&str) -> T) -> T {
        let mut text = [0; 12];
        let mut start = text.len();
        let mut put = |byte: u8| {
            start -= 1;
            text[start] = byte;
        };
        let tenths = self.0.unsigned_abs();
        let (mut whole, fraction) = (tenths / 10, (tenths % 10) as u8);
        if fraction > 0 {
            put(b'0' + fraction);
            put(b'.');
        }
        if whole == 0 && fraction == 0 {
            put(b'0');
        }
        while whole > 0 {
            put(b'0' + (whole % 10) as u8);
            whole /= 10;
        }
        if self.0 < 0 {
            put(b'-');
        }
        take(std::str::from_utf8(&text[start..]).unwrap_or_default())
    }
}

impl fmt::Display for Tenths {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| formatter.write_str(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circle(radius: f64) -> Ring {
        let points: Vec<Point> = (0..96)
            .map(|i| {
                let angle = f64::from(i) * std::f64::consts::TAU / 96.0;
                at(radius * angle.cos(), radius * angle.sin())
            })
            .collect();
        Ring::through(&points)
    }

    #[test]
    fn an_offset_circle_is_a_larger_circle() {
        for sample in circle(20.0).offset(|_| 3.0).0 {
            assert!((sample.at.length() - 23.0).abs() < 0.02, "{sample:?}");
        }
    }

    #[test]
    fn numbers_take_at_most_one_decimal_and_no_needless_sign() {
        let mut pen = Pen::new(1.0, (0.0, 0.0));
        pen.start(at(0.04, -0.26)).line(at(10.0, -0.26)).line(at(9.5, 1.0));
        assert_eq!(pen.take(), "M0 .3l10 0l-.5-1.3");
        for (value, text) in [(-0.04, "0"), (0.0, "0"), (10.0, "10"), (-705.25, "-705.3"), (100.1, "100.1")] {
            assert_eq!(number(value).to_string(), text);
        }
    }

    #[test]
    fn following_a_ring_ends_where_it_began() {
        let ring = circle(20.0);
        let mut pen = Pen::new(5.0, (400.0, 300.0));
        pen.start(ring.0[0].at).follow(&ring.closed(), 8);
        assert_eq!(pen.here, (5000, 3000));
        assert_eq!(pen.take().matches('c').count(), 8);
    }
}
