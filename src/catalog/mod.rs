//! Products from outside.

pub mod money;
pub mod product;
pub mod vocabulary;
