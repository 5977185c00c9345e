//! Files that pages point at: drawings, photos, icons and the palette.
//!
//! Takes products, media references and two brand colours; gives file contents and the paths they belong at. Writes
//! nothing itself and knows no network.

pub mod cache;
pub mod drawing;
pub mod icons;
pub mod logo;
pub mod media;
pub mod palette;
pub mod theme_files;
