//! What `product_filters` means: normalised keys, sound bounds.

use super::file::{FilterFile, OneOrMany, PriceFile};
use super::meaning::{Reading, worded};
use super::shape::joined;
use super::tree::Content;
use super::{FaceShapeFilter, PriceRange, ProductFilters};
use crate::catalog::vocabulary::{Term, Vocabulary, key_of};

impl Reading<'_> {
    pub(super) fn filters(&mut self, file: FilterFile) -> Option<ProductFilters> {
        let frame_type = self.terms("frame_type", &file.frame_type, Vocabulary::FrameType);
        let gender = self.terms("gender", &file.gender, Vocabulary::Gender);
        let frame_shape = self.terms("frame_shape", &file.frame_shape, Vocabulary::FrameShape);
        let material = self.terms("material", &file.material, Vocabulary::Material);
        let tags = self.terms("tags", &file.tags, Vocabulary::Other);
        let brand = self.names("brand", &file.brand);
        let category = self.names("category", &file.category);
        let price = self.price(&file.price);
        Some(ProductFilters {
            in_stock: file.in_stock,
            min_quality_score: file.min_quality_score.map(|score| score as f32),
            frame_type: frame_type?,
            brand: brand?,
            category: category?,
            gender: gender?,
            frame_shape: frame_shape?,
            material: material?,
            price: price?,
            face_shape: file
                .face_shape
                .map(|filter| FaceShapeFilter { shape: filter.shape.into(), min_score: filter.min_score as f32 }),
            tags: tags?,
            max_products: file.max_products.map(|most| most as usize),
        })
    }

    /// Normalised keys, each once, in the order written.
    fn terms(&mut self, key: &str, written: &OneOrMany<String>, vocabulary: Vocabulary) -> Option<Vec<String>> {
        self.each(key, written, |text| Term::parse(vocabulary, text).map(|term| term.key.to_string()))
    }

    /// Names that may also be slugs or ids, so they keep their wording.
    fn names(&mut self, key: &str, written: &OneOrMany<String>) -> Option<Vec<String>> {
        self.each(key, written, |text| worded(Some(text.to_string())).filter(|text| !key_of(text).is_empty()))
    }

    fn each(
        &mut self,
        key: &str,
        written: &OneOrMany<String>,
        read: impl Fn(&str) -> Option<String>,
    ) -> Option<Vec<String>> {
        let path = format!("product_filters.{key}");
        let listed = matches!(self.node(&path).map(|node| &node.content), Some(Content::List(_)));
        let mut values: Vec<String> = Vec::new();
        let mut whole = true;
        for (index, text) in written.0.iter().enumerate() {
            match read(text) {
                Some(value) if values.contains(&value) => {}
                Some(value) => values.push(value),
                None => {
                    whole = false;
                    let spot = if listed { joined(&path, &index.to_string()) } else { path.clone() };
                    let message = format!("`{path}` has a value without letters or digits");
                    let _: Option<()> = self.fault(&spot, &message, "write the words that the catalogue uses");
                }
            }
        }
        whole.then_some(values)
    }

    fn price(&mut self, file: &PriceFile) -> Option<PriceRange> {
        match (file.min, file.max) {
            (Some(min), Some(max)) if min > max => self.fault(
                "product_filters.price.min",
                "`product_filters.price.min` is above `product_filters.price.max`",
                "exchange the two; as it is, no product can pass",
            ),
            (min, max) => Some(PriceRange { min, max }),
        }
    }
}
