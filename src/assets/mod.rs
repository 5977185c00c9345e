//! Files that pages point at: drawings, photos, icons and the palette.
//!
//! Takes products, media references and two brand colours; gives file contents and the paths they belong at. Writes
//! nothing but its cache, and only [`fetch`] knows a network.

pub mod cache;
pub mod cdn;
pub mod drawing;
pub mod fetch;
pub mod icons;
pub mod image;
mod lettering;
pub mod logo;
pub mod media;
pub mod models;
pub mod palette;
pub mod pictures;
pub mod social_card;
pub mod theme_files;
pub mod viewer;
