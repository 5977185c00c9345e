//! Products from outside.

pub mod money;
pub mod product;
pub mod text;
pub mod vocabulary;
