//! Pages: from the enhanced catalogue to the bytes of every HTML, XML and text file of the store.
//!
//! [`plan`] lists every page; [`Renderer`] turns one planned page into bytes, purely, from any thread. Writes no file,
//! knows no network, and asks for a full product only to render its own page.

mod buying;
mod card;
mod content_page;
mod feed;
mod fields;
mod fingerprint;
mod home_page;
mod host_files;
mod index;
mod index_page;
mod lenses;
pub mod link;
mod listing_page;
mod llms;
mod news;
mod outer;
pub mod plan;
mod policies;
pub mod price;
mod product_page;
mod program;
mod redirects;
mod render;
mod round;
mod search_description;
mod shop;
mod sitemap;
mod structured;
mod template;
mod text_page;
pub mod theme;
mod tool_page;
mod worker;
mod xml;

#[cfg(test)]
mod machine_files;
#[cfg(test)]
mod sample_store;

pub use content_page::broken_links;
pub use fingerprint::settings as settings_fingerprint;
pub use index::Shelf;
pub use plan::{PageKind, Plan, PlannedPage, plan};
pub use redirects::refuse_collisions;
pub use render::{Rendered, Renderer};
pub use round::{Made, Round, plan_again};
pub use theme::{Theme, ThemeError};

/// The file of the filters that names all others.
pub const FACETS_SUMMARY: &str = index::FACETS;

/// The file of the search index that names all others.
pub const SEARCH_SUMMARY: &str = index::search::SUMMARY;
