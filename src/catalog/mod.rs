//! Products from outside.
//!
//! A [`Source`] (a MongoDB database, a folder of dumps, a file) hands over blocks of documents that are not yet decoded;
//! a [`Mapper`] turns each into a [`product::Product`] or a finding that says why not. Both are safe to run side by
//! side: one thread reads, any number of others decode. [`References`] holds what the other collections know and is
//! read first. Confidential fields are never read, and nothing here knows what becomes of a product.

mod convert;
mod document;
mod extended_json;
mod fits;
mod mapping;
mod media;
pub mod money;
pub mod product;
mod reading;
mod references;
mod scalars;
mod targets;
pub mod text;
pub mod vocabulary;

pub use convert::Mapper;
pub use document::{Place, RawDocument};
pub use mapping::MappingError;
pub use references::{Bounds, EventCounts, FaceShapeRules, FrameRule, References};
