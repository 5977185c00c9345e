//! Files that pages point at: drawings, photos, icons, CSS and JavaScript.

pub mod drawing;
