//! What opticians suggest for which face: a strength for each pair of face shape and outline, and the reason.
//!
//! The strengths are the trade's convention, gathered from opticians' and retailers' guides. The few experiments
//! there are do not support a strict table, so pairs on which guides disagree, or which none of them names, carry
//! less confidence. Nothing here is a verdict; stores show it as styling advice.

use crate::catalog::vocabulary::{FaceShape, FrameShape};

/// How sure the convention is of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Guides agree.
    Agreed,
    /// Guides contradict each other.
    Disputed,
    /// No guide names the pair; it follows from the aim for the face shape.
    Derived,
}

/// One cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// 1 (most guides advise against) to 5 (most guides suggest).
    pub strength: u8,
    /// How sure the convention is.
    pub standing: Standing,
}

const fn agreed(strength: u8) -> Cell {
    Cell { strength, standing: Standing::Agreed }
}

const fn disputed(strength: u8) -> Cell {
    Cell { strength, standing: Standing::Disputed }
}

const fn derived(strength: u8) -> Cell {
    Cell { strength, standing: Standing::Derived }
}

/// Rows by [`FaceShape::index`], columns in the order of [`column`].
#[rustfmt::skip]
const TABLE: [[Cell; 12]; 7] = [
    // round        oval         square       rectangle    cat-eye      aviator      wayfarer     browline     geometric    butterfly    oversized    rimless
    [agreed(4),   agreed(4),   agreed(5),   agreed(5),   agreed(4),   agreed(5),   agreed(4),   derived(4),  agreed(4),   agreed(4),   disputed(2), derived(3)],
    [disputed(1), disputed(2), agreed(5),   agreed(5),   disputed(4), derived(3),  agreed(4),   agreed(4),   agreed(5),   derived(3),  agreed(2),   disputed(2)],
    [agreed(5),   agreed(5),   disputed(1), agreed(2),   agreed(4),   derived(4),  disputed(3), agreed(4),   agreed(1),   agreed(4),   disputed(3), agreed(4)],
    [agreed(4),   agreed(4),   disputed(2), agreed(4),   disputed(2), agreed(5),   derived(3),  agreed(2),   agreed(4),   disputed(4), agreed(2),   agreed(5)],
    [agreed(4),   agreed(5),   derived(3),  agreed(4),   agreed(5),   derived(3),  derived(3),  agreed(5),   derived(3),  agreed(4),   disputed(2), agreed(5)],
    [disputed(4), derived(3),  agreed(4),   disputed(2), agreed(4),   derived(4),  agreed(4),   agreed(4),   derived(3),  derived(3),  agreed(5),   derived(2)],
    [agreed(3),   derived(3),  derived(3),  derived(3),  agreed(5),   derived(3),  derived(4),  agreed(5),   agreed(4),   agreed(5),   derived(3),  derived(2)],
];

fn column(outline: FrameShape) -> usize {
    match outline {
        FrameShape::Round | FrameShape::Panto => 0,
        FrameShape::Oval => 1,
        FrameShape::Square => 2,
        FrameShape::Rectangle => 3,
        FrameShape::CatEye => 4,
        FrameShape::Aviator => 5,
        FrameShape::Wayfarer => 6,
        FrameShape::Browline => 7,
        FrameShape::Geometric => 8,
        FrameShape::Butterfly => 9,
        FrameShape::Oversized => 10,
    }
}

/// The cell of a face and an outline. Panto takes the round column one step nearer to neutral.
pub fn cell(face: FaceShape, outline: FrameShape) -> Cell {
    let cell = TABLE[face.index()][column(outline)];
    match outline {
        FrameShape::Panto => Cell {
            strength: match cell.strength {
                strength if strength > 3 => strength - 1,
                strength if strength < 3 => strength + 1,
                strength => strength,
            },
            ..cell
        },
        _ => cell,
    }
}

/// The cell of a face and a front without a full rim; a semi-rimless front carries its weight on top.
pub fn rimless_cell(face: FaceShape, semi: bool) -> Cell {
    if semi && face == FaceShape::Triangle { agreed(5) } else { TABLE[face.index()][11] }
}

/// What a strength is worth on the scale of scores, 0..=1.
pub fn worth(strength: u8) -> f64 {
    match strength {
        0 | 1 => 0.20,
        2 => 0.36,
        3 => 0.56,
        4 => 0.76,
        _ => 0.92,
    }
}

/// How much a cell is trusted, 0..=1: a convention at best, so never more than an ML score with fair confidence.
pub fn trust(standing: Standing) -> f64 {
    match standing {
        Standing::Agreed => 0.60,
        Standing::Disputed => 0.40,
        Standing::Derived => 0.30,
    }
}

/// Why: the key of a sentence for shoppers.
pub fn reason(face: FaceShape, outline: FrameShape) -> &'static str {
    use FrameShape as Frame;
    match (face, outline) {
        (FaceShape::Oval, Frame::Square | Frame::Rectangle | Frame::Geometric) => "oval_edges",
        (FaceShape::Oval, Frame::Round | Frame::Oval | Frame::Panto) => "oval_curves",
        (FaceShape::Oval, Frame::CatEye | Frame::Butterfly) => "oval_lifted",
        (FaceShape::Oval, Frame::Aviator) => "oval_aviator",
        (FaceShape::Oval, Frame::Wayfarer | Frame::Browline) => "oval_top_line",
        (FaceShape::Oval, Frame::Oversized) => "oval_oversized",

        (FaceShape::Round, Frame::Square | Frame::Rectangle) => "round_lines",
        (FaceShape::Round, Frame::Geometric) => "round_geometric",
        (FaceShape::Round, Frame::Round | Frame::Oval | Frame::Panto) => "round_curves",
        (FaceShape::Round, Frame::CatEye | Frame::Butterfly) => "round_lifted",
        (FaceShape::Round, Frame::Aviator) => "round_aviator",
        (FaceShape::Round, Frame::Wayfarer | Frame::Browline) => "round_top_line",
        (FaceShape::Round, Frame::Oversized) => "round_oversized",

        (FaceShape::Square, Frame::Round | Frame::Oval | Frame::Panto) => "square_curves",
        (FaceShape::Square, Frame::Square | Frame::Rectangle | Frame::Geometric) => "square_edges",
        (FaceShape::Square, Frame::CatEye | Frame::Butterfly) => "square_lifted",
        (FaceShape::Square, Frame::Aviator) => "square_aviator",
        (FaceShape::Square, Frame::Wayfarer) => "square_wayfarer",
        (FaceShape::Square, Frame::Browline) => "square_browline",
        (FaceShape::Square, Frame::Oversized) => "square_oversized",

        (FaceShape::Heart, Frame::Aviator) => "heart_aviator",
        (FaceShape::Heart, Frame::Round | Frame::Oval | Frame::Panto) => "heart_curves",
        (FaceShape::Heart, Frame::Rectangle | Frame::Geometric) => "heart_level",
        (FaceShape::Heart, Frame::Square) => "heart_square",
        (FaceShape::Heart, Frame::CatEye | Frame::Browline) => "heart_top_line",
        (FaceShape::Heart, Frame::Butterfly) => "heart_butterfly",
        (FaceShape::Heart, Frame::Wayfarer) => "heart_wayfarer",
        (FaceShape::Heart, Frame::Oversized) => "heart_oversized",

        (FaceShape::Diamond, Frame::Oval | Frame::Round | Frame::Panto) => "diamond_curves",
        (FaceShape::Diamond, Frame::CatEye | Frame::Browline | Frame::Butterfly) => "diamond_top_line",
        (FaceShape::Diamond, Frame::Rectangle | Frame::Square | Frame::Geometric) => "diamond_level",
        (FaceShape::Diamond, Frame::Aviator | Frame::Wayfarer) => "diamond_balanced",
        (FaceShape::Diamond, Frame::Oversized) => "diamond_oversized",

        (FaceShape::Oblong, Frame::Oversized) => "oblong_oversized",
        (FaceShape::Oblong, Frame::Square | Frame::Wayfarer) => "oblong_bold",
        (FaceShape::Oblong, Frame::Round | Frame::Panto | Frame::Oval) => "oblong_curves",
        (FaceShape::Oblong, Frame::Rectangle) => "oblong_rectangle",
        (FaceShape::Oblong, Frame::CatEye | Frame::Browline | Frame::Butterfly) => "oblong_top_line",
        (FaceShape::Oblong, Frame::Aviator | Frame::Geometric) => "oblong_deep",

        (FaceShape::Triangle, Frame::CatEye | Frame::Butterfly | Frame::Browline) => "triangle_top_line",
        (FaceShape::Triangle, Frame::Wayfarer | Frame::Geometric) => "triangle_upper",
        (FaceShape::Triangle, Frame::Round | Frame::Oval | Frame::Panto) => "triangle_curves",
        (FaceShape::Triangle, Frame::Square | Frame::Rectangle) => "triangle_level",
        (FaceShape::Triangle, Frame::Aviator) => "triangle_aviator",
        (FaceShape::Triangle, Frame::Oversized) => "triangle_oversized",
    }
}

/// Why a front without a full rim: the key of a sentence for shoppers.
pub fn rimless_reason(face: FaceShape) -> &'static str {
    match face {
        FaceShape::Oval => "oval_rimless",
        FaceShape::Round => "round_rimless",
        FaceShape::Square => "square_rimless",
        FaceShape::Heart => "heart_rimless",
        FaceShape::Diamond => "diamond_rimless",
        FaceShape::Oblong => "oblong_rimless",
        FaceShape::Triangle => "triangle_rimless",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_within_the_scale_and_has_a_reason() {
        let words = crate::language::Words::english();
        for face in FaceShape::ALL {
            assert!(words.reason(rimless_reason(face)).ends_with('.'));
            for outline in FrameShape::ALL {
                assert!((1..=5).contains(&cell(face, outline).strength));
                assert!(words.reason(reason(face, outline)).ends_with('.'), "{face:?} {outline:?}");
            }
        }
    }

    #[test]
    fn panto_is_a_milder_round() {
        assert_eq!(cell(FaceShape::Square, FrameShape::Panto).strength, 4);
        assert_eq!(cell(FaceShape::Round, FrameShape::Panto).strength, 2);
        assert_eq!(cell(FaceShape::Triangle, FrameShape::Panto).strength, 3);
    }

    #[test]
    fn worth_rises_with_strength() {
        assert!((1..5).all(|strength| worth(strength) < worth(strength + 1)));
    }
}
