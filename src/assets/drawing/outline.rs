//! The lens outline of each frame shape, fitted into a lens of given width and height.
//!
//! An outline is a superellipse whose four corners differ, bent by a few named deformations, then fitted exactly into the
//! boxed lens size that opticians measure. Here the lens stands around (0, 0), its nose side to the left.

use super::curve::{Point, Ring, at};
use crate::catalog::vocabulary::FrameShape;
use std::sync::OnceLock;

/// What makes a shape: lens outline and how the front is built around it.
pub(super) struct Recipe {
    /// Superellipse exponents of the corners: top outer, top nose, bottom nose, bottom outer. 2 is an ellipse, 4 a square
    /// with round corners.
    corners: [f64; 4],
    /// Height at which the lens is widest, -1 (bottom) to 1 (top).
    waist: f64,
    /// How much narrower the bottom is than the top.
    taper: f64,
    /// How much the lower nose side is cut away.
    nose_cut: f64,
    /// How far the upper outer corner is drawn up.
    lift: f64,
    /// How much taller the outer side is than the nose side.
    flare: f64,
    /// Height of the top of the end piece; 1 is level with the highest point of the rim.
    pub(super) hinge: f64,
    /// Extra thickness of the upper rim in mm.
    pub(super) brow: f64,
    /// Customary lens width, lens height and bridge in mm.
    pub(super) usual: (f64, f64, f64),
    /// Lowest and highest plausible ratio of lens height to lens width.
    pub(super) proportions: (f64, f64),
}

/// The recipe of a shape.
pub(super) fn recipe(shape: FrameShape) -> Recipe {
    let round = Recipe {
        corners: [2.0; 4],
        waist: 0.0,
        taper: 0.0,
        nose_cut: 0.0,
        lift: 0.0,
        flare: 0.0,
        hinge: 0.58,
        brow: 0.0,
        usual: (48.0, 46.0, 20.0),
        proportions: (0.86, 1.02),
    };
    match shape {
        FrameShape::Round => round,
        FrameShape::Oval => Recipe {
            corners: [2.15, 2.1, 2.1, 2.15],
            hinge: 0.62,
            usual: (52.0, 36.0, 18.0),
            proportions: (0.56, 0.8),
            ..round
        },
        FrameShape::Square => Recipe {
            corners: [4.4, 4.0, 3.3, 3.6],
            waist: 0.05,
            taper: 0.035,
            hinge: 0.93,
            brow: 0.5,
            usual: (52.0, 42.0, 18.0),
            proportions: (0.74, 0.98),
            ..round
        },
        FrameShape::Rectangle => Recipe {
            corners: [4.6, 4.0, 3.6, 4.0],
            taper: 0.03,
            hinge: 0.92,
            brow: 0.3,
            usual: (54.0, 34.0, 17.0),
            proportions: (0.5, 0.72),
            ..round
        },
        FrameShape::CatEye => Recipe {
            corners: [3.6, 2.3, 2.1, 2.2],
            waist: 0.3,
            taper: 0.1,
            lift: 0.34,
            hinge: 1.0,
            brow: 1.2,
            usual: (53.0, 42.0, 17.0),
            proportions: (0.62, 0.9),
            ..round
        },
        FrameShape::Aviator => Recipe {
            corners: [2.9, 2.7, 2.25, 2.3],
            waist: 0.3,
            taper: 0.05,
            nose_cut: 0.26,
            lift: -0.1,
            hinge: 0.8,
            usual: (58.0, 50.0, 14.0),
            proportions: (0.76, 0.95),
            ..round
        },
        FrameShape::Wayfarer => Recipe {
            corners: [4.2, 3.2, 2.5, 2.7],
            waist: 0.3,
            taper: 0.1,
            lift: 0.1,
            hinge: 0.95,
            brow: 1.6,
            usual: (52.0, 41.0, 18.0),
            proportions: (0.66, 0.88),
            ..round
        },
        FrameShape::Browline => Recipe {
            corners: [3.5, 3.0, 2.3, 2.4],
            waist: 0.25,
            taper: 0.08,
            lift: 0.06,
            hinge: 0.94,
            brow: 2.4,
            usual: (51.0, 40.0, 20.0),
            proportions: (0.66, 0.9),
            ..round
        },
        FrameShape::Geometric => Recipe { hinge: 0.52, usual: (51.0, 46.0, 19.0), proportions: (0.78, 0.98), ..round },
        FrameShape::Butterfly => Recipe {
            corners: [3.2, 2.2, 2.1, 2.7],
            waist: 0.12,
            taper: 0.0,
            lift: 0.16,
            flare: 0.13,
            hinge: 0.98,
            brow: 1.0,
            usual: (56.0, 48.0, 17.0),
            proportions: (0.72, 0.95),
            ..round
        },
        FrameShape::Oversized => Recipe {
            corners: [3.2, 2.7, 2.4, 2.7],
            waist: 0.14,
            taper: 0.05,
            lift: 0.04,
            hinge: 0.88,
            brow: 0.8,
            usual: (58.0, 52.0, 18.0),
            proportions: (0.78, 0.98),
            ..round
        },
        FrameShape::Panto => Recipe {
            corners: [2.7, 2.5, 2.2, 2.2],
            waist: 0.26,
            taper: 0.06,
            hinge: 0.76,
            brow: 0.4,
            usual: (48.0, 43.0, 21.0),
            proportions: (0.8, 0.98),
            ..round
        },
    }
}

/// The outline of the right-hand lens (as seen), `width` by `height` mm exactly.
pub(super) fn lens(shape: FrameShape, width: f64, height: f64) -> Ring {
    // Hundreds of powers, the same for every frame of a shape.
    static BENT: [OnceLock<Vec<Point>>; FrameShape::ALL.len()] = [const { OnceLock::new() }; FrameShape::ALL.len()];
    let mut points = BENT[shape as usize].get_or_init(|| bent(shape)).clone();
    fit_box(&mut points, width, height);
    Ring::through(&points)
}

/// The outline of a shape before it is fitted into a lens.
fn bent(shape: FrameShape) -> Vec<Point> {
    let recipe = recipe(shape);
    let mut points = match shape {
        FrameShape::Geometric => hexagon(),
        _ => superellipse(&recipe),
    };
    for point in &mut points {
        let Point { x: mut u, y: mut v } = *point;
        u *= 1.0 + recipe.taper * v;
        if u < 0.0 {
            u *= 1.0 - recipe.nose_cut * v.min(0.0).powi(2);
        }
        v += recipe.lift * u.max(0.0).powi(2) * (v + 1.0) / 2.0;
        v *= 1.0 + recipe.flare * u;
        *point = at(u, v);
    }
    points
}

fn superellipse(recipe: &Recipe) -> Vec<Point> {
    const STEPS: u32 = 24;
    let signs = [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)];
    let mut points = Vec::with_capacity(4 * STEPS as usize);
    for (quadrant, (across, up)) in signs.into_iter().enumerate() {
        let power = 2.0 / recipe.corners[quadrant];
        let depth = if up > 0.0 { 1.0 - recipe.waist } else { 1.0 + recipe.waist };
        for step in 0..STEPS {
            let angle = f64::from(step) / f64::from(STEPS) * std::f64::consts::FRAC_PI_2;
            let (sine, cosine) = angle.sin_cos();
            let (near, far) = if quadrant % 2 == 0 { (cosine, sine) } else { (sine, cosine) };
            points.push(at(across * near.powf(power), recipe.waist + up * depth * far.powf(power)));
        }
    }
    points
}

/// A hexagon standing on a flat side, its corners rounded.
fn hexagon() -> Vec<Point> {
    const ROUNDING: f64 = 0.26;
    let tips = [at(1.0, 0.06), at(0.54, 1.0), at(-0.54, 1.0), at(-1.0, 0.06), at(-0.52, -1.0), at(0.52, -1.0)];
    let mut points = Vec::with_capacity(96);
    for (index, tip) in tips.into_iter().enumerate() {
        let before = tips[(index + 5) % 6];
        let after = tips[(index + 1) % 6];
        let from = tip + (before - tip).unit() * ROUNDING;
        let to = tip + (after - tip).unit() * ROUNDING;
        for step in 0..=8 {
            let t = f64::from(step) / 8.0;
            points.push(from * ((1.0 - t) * (1.0 - t)) + tip * (2.0 * t * (1.0 - t)) + to * (t * t));
        }
        let next = after + (tip - after).unit() * ROUNDING;
        points.extend((1..6).map(|step| to + (next - to) * (f64::from(step) / 6.0)));
    }
    // The ring has to begin at the outermost point, which is the middle of the first corner.
    points.rotate_left(4);
    points
}

fn fit_box(points: &mut [Point], width: f64, height: f64) {
    let (mut low, mut high) = (at(f64::MAX, f64::MAX), at(f64::MIN, f64::MIN));
    for point in points.iter() {
        low = at(low.x.min(point.x), low.y.min(point.y));
        high = at(high.x.max(point.x), high.y.max(point.y));
    }
    let (span, middle) = (high - low, (high + low) * 0.5);
    for point in points {
        *point = at((point.x - middle.x) * width / span.x, (point.y - middle.y) * height / span.y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outline_fills_its_box_exactly() {
        for shape in FrameShape::ALL {
            let ring = lens(shape, 52.0, 40.0);
            let extent = |measure: fn(Point) -> f64| {
                let values = ring.0.iter().map(|sample| measure(sample.at));
                let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
                high - low
            };
            assert!((extent(|p| p.x) - 52.0).abs() < 1e-9, "{shape:?}");
            assert!((extent(|p| p.y) - 40.0).abs() < 1e-9, "{shape:?}");
        }
    }

    #[test]
    fn every_outline_runs_counter_clockwise_without_crossing_itself() {
        for shape in FrameShape::ALL {
            let ring = lens(shape, 52.0, 40.0);
            let angles: Vec<f64> = ring.0.iter().map(|sample| sample.at.y.atan2(sample.at.x)).collect();
            let turns = angles.windows(2).map(|pair| {
                let step = pair[1] - pair[0];
                if step < -3.0 { step + std::f64::consts::TAU } else { step }
            });
            assert!(turns.clone().all(|step| step > 0.0), "{shape:?}");
            assert!(turns.sum::<f64>() > 6.0, "{shape:?}");
        }
    }
}
