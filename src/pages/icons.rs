//! Small line drawings of face shapes, as SVG markup that takes the colour of the text around it.

use crate::catalog::vocabulary::FaceShape;

/// The outline of a face with a pair of glasses on it, a symbol that every page has; decorative, the words stand beside
/// it.
pub(crate) fn face(shape: FaceShape) -> &'static str {
    macro_rules! icon {
        ($outline:literal) => {
            concat!(
                r#"<svg class="face-icon" viewBox="0 0 64 80" aria-hidden="true" focusable="false"><path d=""#,
                $outline,
                r##""/><use class="face-icon-glasses" href="#icon-glasses"/></svg>"##
            )
        };
    }
    match shape {
        FaceShape::Oval => icon!("M32 6c13 0 21 12 21 31 0 21-11 37-21 37S11 58 11 37C11 18 19 6 32 6z"),
        FaceShape::Round => icon!("M32 10c15 0 24 12 24 29 0 19-11 31-24 31S8 58 8 39c0-17 9-29 24-29z"),
        FaceShape::Square => {
            icon!("M32 8c17 0 23 5 23 18v24c0 6-2 10-6 14-5 6-10 8-17 8s-12-2-17-8c-4-4-6-8-6-14V26C9 13 15 8 32 8z")
        }
        FaceShape::Heart => {
            icon!("M32 11c5-5 12-6 18-2 6 5 8 13 6 24-2 18-13 34-24 42C21 67 10 51 8 33 6 22 8 14 14 9c6-4 13-3 18 2z")
        }
        FaceShape::Diamond => {
            icon!("M32 6c7 0 12 4 16 13 4 8 8 13 8 19 0 8-9 28-24 37C17 66 8 46 8 38c0-6 4-11 8-19C20 10 25 6 32 6z")
        }
        FaceShape::Oblong => icon!("M32 3c13 0 18 7 18 19v34c0 12-7 21-18 21s-18-9-18-21V22C14 10 19 3 32 3z"),
        FaceShape::Triangle => {
            icon!("M32 7c9 0 15 5 17 15 1 9 7 22 7 32 0 13-10 20-24 20S8 67 8 54c0-10 6-23 7-32C17 12 23 7 32 7z")
        }
    }
}
