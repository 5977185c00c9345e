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

/// Why, in one sentence for shoppers.
pub fn reason(face: FaceShape, outline: FrameShape) -> &'static str {
    use FrameShape as Frame;
    match (face, outline) {
        (FaceShape::Oval, Frame::Square | Frame::Rectangle | Frame::Geometric) => {
            "Clear edges give definition to the soft, even lines of an oval face."
        }
        (FaceShape::Oval, Frame::Round | Frame::Oval | Frame::Panto) => {
            "Gentle curves follow the balance an oval face already has."
        }
        (FaceShape::Oval, Frame::CatEye | Frame::Butterfly) => {
            "A lifted outer edge draws the eye to the cheekbones of an oval face."
        }
        (FaceShape::Oval, Frame::Aviator) => "The drop shape follows the cheeks of an oval face without hiding them.",
        (FaceShape::Oval, Frame::Wayfarer | Frame::Browline) => {
            "A defined top line keeps the proportions of an oval face in view."
        }
        (FaceShape::Oval, Frame::Oversized) => "A very large front can cover the even proportions of an oval face.",

        (FaceShape::Round, Frame::Square | Frame::Rectangle) => {
            "Straight lines and more width than depth make a round face look longer."
        }
        (FaceShape::Round, Frame::Geometric) => "Distinct corners set a contrast to the soft curves of a round face.",
        (FaceShape::Round, Frame::Round | Frame::Oval | Frame::Panto) => {
            "Curved outlines repeat the roundness of the cheeks instead of balancing it."
        }
        (FaceShape::Round, Frame::CatEye | Frame::Butterfly) => {
            "An upward sweep lifts a round face and lends it some angle."
        }
        (FaceShape::Round, Frame::Aviator) => "The drop shape adds a little length, but its lower curve stays soft.",
        (FaceShape::Round, Frame::Wayfarer | Frame::Browline) => {
            "A strong top line gives a round face structure where it has least."
        }
        (FaceShape::Round, Frame::Oversized) => "A very large front shortens a round face further.",

        (FaceShape::Square, Frame::Round | Frame::Oval | Frame::Panto) => {
            "Curves soften a strong jaw and a straight forehead."
        }
        (FaceShape::Square, Frame::Square | Frame::Rectangle | Frame::Geometric) => {
            "Straight edges echo the jaw line of a square face."
        }
        (FaceShape::Square, Frame::CatEye | Frame::Butterfly) => {
            "A soft upward line takes the attention from the jaw to the eyes."
        }
        (FaceShape::Square, Frame::Aviator) => "The rounded drop shape eases the angles of a square face.",
        (FaceShape::Square, Frame::Wayfarer) => "A firm outline underlines the structure of a square face.",
        (FaceShape::Square, Frame::Browline) => "Weight on the brow line moves the emphasis away from the jaw.",
        (FaceShape::Square, Frame::Oversized) => "A large front softens a square face where its corners are rounded.",

        (FaceShape::Heart, Frame::Aviator) => "The width below the eye line balances a narrow chin.",
        (FaceShape::Heart, Frame::Round | Frame::Oval | Frame::Panto) => {
            "Small, soft curves keep a broad forehead from looking broader."
        }
        (FaceShape::Heart, Frame::Rectangle | Frame::Geometric) => {
            "A level outline spreads attention evenly between forehead and chin."
        }
        (FaceShape::Heart, Frame::Square) => "Firm upper corners can widen the forehead of a heart-shaped face.",
        (FaceShape::Heart, Frame::CatEye | Frame::Browline) => {
            "Emphasis along the top adds width where a heart-shaped face is widest."
        }
        (FaceShape::Heart, Frame::Butterfly) => "Lower outer curves bring some width towards the cheeks.",
        (FaceShape::Heart, Frame::Wayfarer) => "A wider top line competes a little with a broad forehead.",
        (FaceShape::Heart, Frame::Oversized) => "A very large front outweighs a narrow chin.",

        (FaceShape::Diamond, Frame::Oval | Frame::Round | Frame::Panto) => {
            "Soft curves ease the line of prominent cheekbones."
        }
        (FaceShape::Diamond, Frame::CatEye | Frame::Browline | Frame::Butterfly) => {
            "A marked top line gives width to a narrow forehead."
        }
        (FaceShape::Diamond, Frame::Rectangle | Frame::Square | Frame::Geometric) => {
            "A level outline brings the eyes forward between strong cheekbones."
        }
        (FaceShape::Diamond, Frame::Aviator | Frame::Wayfarer) => {
            "A balanced outline leaves the cheekbones as the feature."
        }
        (FaceShape::Diamond, Frame::Oversized) => {
            "A front wider than the cheekbones hides the best feature of the face."
        }

        (FaceShape::Oblong, Frame::Oversized) => "Depth and width shorten a long face.",
        (FaceShape::Oblong, Frame::Square | Frame::Wayfarer) => {
            "A deep, bold front breaks the length of the face and adds width."
        }
        (FaceShape::Oblong, Frame::Round | Frame::Panto | Frame::Oval) => {
            "Curves with some depth interrupt the long, straight line of the cheeks."
        }
        (FaceShape::Oblong, Frame::Rectangle) => "A shallow rectangle can make a long face look longer.",
        (FaceShape::Oblong, Frame::CatEye | Frame::Browline | Frame::Butterfly) => {
            "A strong top line adds width across the brow."
        }
        (FaceShape::Oblong, Frame::Aviator | Frame::Geometric) => {
            "A deep outline covers more of the length of the face."
        }

        (FaceShape::Triangle, Frame::CatEye | Frame::Butterfly | Frame::Browline) => {
            "Emphasis on top widens the forehead and balances a broad jaw."
        }
        (FaceShape::Triangle, Frame::Wayfarer | Frame::Geometric) => {
            "A defined upper line draws attention up from the jaw."
        }
        (FaceShape::Triangle, Frame::Round | Frame::Oval | Frame::Panto) => {
            "Soft curves neither add to the jaw nor widen the forehead much."
        }
        (FaceShape::Triangle, Frame::Square | Frame::Rectangle) => {
            "A level outline keeps the balance as it is, without widening the top."
        }
        (FaceShape::Triangle, Frame::Aviator) => "The width of the drop shape sits close to the jaw.",
        (FaceShape::Triangle, Frame::Oversized) => "A large front can even out a broad jaw if it is widest at the top.",
    }
}

/// Why a front without a full rim, in one sentence for shoppers.
pub fn rimless_reason(face: FaceShape) -> &'static str {
    match face {
        FaceShape::Oval => "An open lower edge leaves the balance of an oval face as it is.",
        FaceShape::Round => "Without a rim there is less line to set against soft curves.",
        FaceShape::Square => "A light front keeps the jaw line from being framed twice.",
        FaceShape::Heart => "A light front adds no weight to a broad forehead.",
        FaceShape::Diamond => "A light front lets the cheekbones speak.",
        FaceShape::Oblong => "A light front does little to break the length of the face.",
        FaceShape::Triangle => "Without weight on top the jaw stays the widest line.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_within_the_scale_and_has_a_reason() {
        for face in FaceShape::ALL {
            for outline in FrameShape::ALL {
                assert!((1..=5).contains(&cell(face, outline).strength));
                assert!(reason(face, outline).ends_with('.'));
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
