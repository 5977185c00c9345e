//! Line drawings of frames, made from shape, measurements, colour and rim style.

use crate::catalog::product::Product;

/// What a drawing shows: small, comparable, and the same for products that look the same, so that they share a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameDrawing {}

impl FrameDrawing {
    /// Works out what to draw; every product can be drawn.
    pub fn of(_product: &Product) -> Self {
        Self {}
    }
}
