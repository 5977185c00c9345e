//! Size class and printed size from measurements.

use crate::catalog::product::{Measurements, Product};
use serde::{Deserialize, Serialize};

/// How wide a frame is, for shoppers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SizeClass {
    Xs,
    S,
    M,
    L,
    Xl,
}

impl SizeClass {
    /// Every class, narrow to wide.
    pub const ALL: [Self; 5] = [Self::Xs, Self::S, Self::M, Self::L, Self::Xl];

    /// `XS` to `XL`.
    pub fn label(self) -> &'static str {
        ["XS", "S", "M", "L", "XL"][self as usize]
    }

    /// The class of a front width in mm. Retailers draw these lines differently; these leave no gap between classes
    /// and put the middle of adult fronts (130 to 135 mm) into M.
    pub fn of_front_width(width: f32) -> Self {
        match width {
            width if width < 125.0 => Self::Xs,
            width if width < 130.0 => Self::S,
            width if width < 136.0 => Self::M,
            width if width <= 142.0 => Self::L,
            _ => Self::Xl,
        }
    }
}

/// What a shopper reads about the size of a frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameSize {
    /// Class, by front width.
    pub class: SizeClass,
    /// `52-18-140`; `None` unless lens, bridge and temple are all known.
    pub printed: Option<String>,
    /// Width of the whole front in mm.
    pub front_width: f32,
    /// Whether `front_width` is worked out from lens and bridge.
    pub estimated: bool,
}

impl FrameSize {
    /// Works out the size; `None` when neither the front nor lens and bridge are measured.
    pub fn of(product: &Product) -> Option<Self> {
        let measured = &product.measurements;
        let (front_width, estimated) = match (measured.frame_width, measured.lens_width, measured.bridge) {
            (Some(width), ..) => (width, false),
            (None, Some(lens), Some(bridge)) => (2.0 * lens + bridge + end_pieces(product), true),
            _ => return None,
        };
        let printed = match (measured.lens_width, measured.bridge, measured.temple) {
            (Some(lens), Some(bridge), Some(temple)) => Some(format!("{lens:.0}-{bridge:.0}-{temple:.0}")),
            _ => None,
        };
        Some(Self { class: SizeClass::of_front_width(front_width), printed, front_width, estimated })
    }
}

/// Whether progressive lenses fit: they need depth below the pupil.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Progressive {
    /// Too shallow, or lens height unknown.
    #[default]
    No,
    /// Lens height 28 to 30 mm: with short-corridor lenses.
    Possible,
    /// Lens height from 30 mm, where most dispensing guides draw the line.
    Ready,
}

impl Progressive {
    /// By lens height.
    pub fn of(measurements: &Measurements) -> Self {
        match measurements.lens_height {
            Some(height) if height >= 30.0 => Self::Ready,
            Some(height) if height >= 28.0 => Self::Possible,
            _ => Self::No,
        }
    }
}

/// What the end pieces add to both lenses and the bridge, in mm for both sides together: guides give 4 to 12, thin
/// metal less than thick acetate.
fn end_pieces(product: &Product) -> f32 {
    let thin = product.materials.first().is_some_and(|material| {
        ["metal", "titanium", "steel", "aluminium"].iter().any(|metal| material.key.contains(metal))
    });
    if thin { 6.0 } else { 8.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_leave_no_gap() {
        let widths = [124.9, 125.0, 129.9, 130.0, 135.9, 136.0, 142.0, 142.1];
        let labels = widths.map(|width| SizeClass::of_front_width(width).label());
        assert_eq!(labels, ["XS", "S", "S", "M", "M", "L", "L", "XL"]);
    }
}
