//! Size class and printed size from measurements.

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
