//! The facts a mapping can fill, for products, brands and categories, and the three built-in dialects.
//!
//! The dialects are files in the mapping language (`dialects/*.yaml`). They are merged into one mapping: a document is
//! read with all three, and for each field the candidates of `nested` come before those of `flat`, and those before
//! `foundation`. So it does not matter which documents stand beside each other, or that one mixes two dialects.

use super::mapping::{Holds, Mapping, MappingError, targets};
use crate::config::MappingFile;

targets! {
    /// Facts of a product.
    ProductField {
        Id "id" Holds::One,
        ExternalId "external_id" Holds::One,
        Sku "sku" Holds::One,
        Gtin "gtin" Holds::One,
        Name "name" Holds::One,
        Description "description" Holds::One,
        ShortDescription "short_description" Holds::One,
        Active "active" Holds::Everyone,
        Brand "brand" Holds::One,
        BrandId "brand_id" Holds::One,
        Category "category" Holds::Many,
        CategoryId "category_id" Holds::Many,
        Price "price" Holds::One,
        CompareAtPrice "compare_at_price" Holds::One,
        Currency "currency" Holds::One,
        Availability "availability" Holds::Everyone,
        InStock "in_stock" Holds::One,
        Quantity "quantity" Holds::One,
        LowStockThreshold "low_stock_threshold" Holds::One,
        FrameType "frame_type" Holds::One,
        FrameShape "frame_shape" Holds::One,
        Rim "rim" Holds::One,
        Materials "materials" Holds::Many,
        Colors "colors" Holds::Many,
        Variants "variants" Holds::Items(&["color", "hex", "sku", "image", "shopify_variant_id"]),
        Gender "gender" Holds::One,
        AgeGroup "age_group" Holds::One,
        Style "style" Holds::One,
        Hinge "hinge" Holds::One,
        Features "features" Holds::Many,
        Tags "tags" Holds::Many,
        LensMaterial "lens_material" Holds::One,
        LensColor "lens_color" Holds::One,
        LensType "lens_type" Holds::One,
        LensCoatings "lens_coatings" Holds::Many,
        UvProtection "uv_protection" Holds::One,
        Polarized "polarized" Holds::One,
        PrescriptionReady "prescription_ready" Holds::One,
        LensWidth "lens_width" Holds::One,
        LensHeight "lens_height" Holds::One,
        Bridge "bridge" Holds::One,
        Temple "temple" Holds::One,
        FrameWidth "frame_width" Holds::One,
        FrameHeight "frame_height" Holds::One,
        Weight "weight" Holds::One,
        FaceShapes "face_shapes" Holds::Items(&["shape", "score", "confidence", "reasons"]),
        RecommendedFaceShapes "recommended_face_shapes" Holds::Many,
        Images "images" Holds::Items(&["url", "alt", "role", "order", "width", "height"]),
        Videos "videos" Holds::Items(&["url", "thumbnail", "duration"]),
        Models "models" Holds::Items(&["url", "format"]),
        SeoTitle "seo_title" Holds::One,
        SeoDescription "seo_description" Holds::One,
        Slug "slug" Holds::One,
        Keywords "keywords" Holds::Many,
        Quality "quality" Holds::One,
        Views "views" Holds::One,
        Clicks "clicks" Holds::One,
        Conversions "conversions" Holds::One,
        Rating "rating" Holds::One,
        RatingCount "rating_count" Holds::One,
        Popularity "popularity" Holds::One,
        Featured "featured" Holds::One,
        SortOrder "sort_order" Holds::One,
        CreatedAt "created_at" Holds::One,
        UpdatedAt "updated_at" Holds::One,
        ShopifyId "shopify_id" Holds::One,
        ShopifyVariantId "shopify_variant_id" Holds::One,
        PaymentLink "payment_link" Holds::One,
    }
}

targets! {
    /// Facts of a brand.
    BrandField {
        Id "id" Holds::One,
        ExternalId "external_id" Holds::One,
        Name "name" Holds::One,
        Slug "slug" Holds::One,
        Description "description" Holds::One,
        Country "country" Holds::One,
        Established "established" Holds::One,
        Website "website" Holds::One,
        Logo "logo" Holds::One,
        Featured "featured" Holds::One,
        SortOrder "sort_order" Holds::One,
        Active "active" Holds::Everyone,
    }
}

targets! {
    /// Facts of a category.
    CategoryField {
        Id "id" Holds::One,
        ExternalId "external_id" Holds::One,
        Name "name" Holds::One,
        Slug "slug" Holds::One,
        Parent "parent" Holds::One,
        Description "description" Holds::One,
        Visible "visible" Holds::One,
        SortOrder "sort_order" Holds::One,
        Active "active" Holds::Everyone,
    }
}

/// The rules for all three kinds of documents.
#[derive(Debug)]
pub(super) struct Mappings {
    pub(super) products: Mapping<ProductField>,
    pub(super) brands: Mapping<BrandField>,
    pub(super) categories: Mapping<CategoryField>,
    /// The store's own mapping is in force instead of the dialects for products.
    pub(super) own: bool,
    /// Locales of the store, its own first.
    pub(super) locales: Vec<String>,
}

const DIALECTS: [(&str, &str); 3] = [
    ("nested", include_str!("dialects/nested.yaml")),
    ("flat", include_str!("dialects/flat.yaml")),
    ("foundation", include_str!("dialects/foundation.yaml")),
];

/// Sections of a mapping for other documents than products.
const SECTIONS: [&str; 2] = ["brands", "categories"];

impl Mappings {
    /// Has texts read in the locales of a store, its own first.
    #[must_use]
    pub(super) fn in_locales(self, locales: &[String]) -> Self {
        Self { locales: locales.to_vec(), ..self }
    }

    /// Compiles the store's own mapping, or the dialects where there is none. Its sections `brands` and `categories`
    /// take the place of the dialects for those documents; what it leaves out is read with the dialects.
    pub(super) fn compile(own: Option<&MappingFile>) -> Result<Self, Vec<MappingError>> {
        let mut errors = Vec::new();
        let mut sections = dialects(&mut errors);
        if let Some(own) = own {
            let mut products = own.clone();
            products.retain(|key, _| !SECTIONS.contains(&key.as_str()));
            if !products.is_empty() {
                products.entry("id".into()).or_insert_with(|| serde_json::json!(["_id", "id", "sku"]));
                sections.own = true;
                sections.products = Mapping::compile(&products, "", &mut errors);
                for required in [ProductField::Name, ProductField::Price] {
                    let name = <ProductField as super::mapping::Target>::ALL[required as usize].0;
                    if sections.products.rule(required).is_none() && !products.contains_key(name) {
                        let message = "a mapping needs a rule for this field; nothing can be sold without it".into();
                        errors.push(MappingError { field: name.into(), message });
                    }
                }
            }
            if let Some(brands) = section(own, "brands", &mut errors) {
                sections.brands = Mapping::compile(&brands, "brands", &mut errors);
            }
            if let Some(categories) = section(own, "categories", &mut errors) {
                sections.categories = Mapping::compile(&categories, "categories", &mut errors);
            }
        }
        if errors.is_empty() { Ok(sections) } else { Err(errors) }
    }
}

fn section(own: &MappingFile, name: &str, errors: &mut Vec<MappingError>) -> Option<MappingFile> {
    match own.get(name)? {
        serde_json::Value::Object(entries) => {
            let mut section: MappingFile = entries.iter().map(|(key, rule)| (key.clone(), rule.clone())).collect();
            section.entry("id".into()).or_insert_with(|| serde_json::json!(["_id", "id"]));
            Some(section)
        }
        _ => {
            let message =
                format!("a section, with rules for the documents in `{name}`; for products use `category` or `brand`");
            errors.push(MappingError { field: name.into(), message });
            None
        }
    }
}

fn dialects(errors: &mut Vec<MappingError>) -> Mappings {
    let (mut products, mut brands, mut categories) = (Vec::new(), Vec::new(), Vec::new());
    for (name, text) in DIALECTS {
        let sections: std::collections::BTreeMap<String, MappingFile> = match serde_yaml::from_str(text) {
            Ok(sections) => sections,
            Err(error) => {
                errors.push(MappingError { field: name.into(), message: error.to_string() });
                continue;
            }
        };
        for (section, rules) in &sections {
            match section.as_str() {
                "products" => products.push(Mapping::compile(rules, "", errors)),
                "brands" => brands.push(Mapping::compile(rules, section, errors)),
                "categories" => categories.push(Mapping::compile(rules, section, errors)),
                other => {
                    errors.push(MappingError { field: other.into(), message: format!("unknown section of `{name}`") })
                }
            }
        }
    }
    Mappings {
        products: Mapping::merge(products),
        brands: Mapping::merge(brands),
        categories: Mapping::merge(categories),
        own: false,
        locales: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_dialects_compile() {
        let mappings = Mappings::compile(None).unwrap();
        assert!(!mappings.own);
        for field in [ProductField::Id, ProductField::Name, ProductField::Price, ProductField::FaceShapes] {
            assert!(mappings.products.rule(field).is_some(), "{field:?}");
        }
        assert!(mappings.brands.rule(BrandField::Country).is_some());
        assert!(mappings.categories.rule(CategoryField::Parent).is_some());
    }

    #[test]
    fn a_mapping_of_ones_own_replaces_the_dialects_section_by_section() {
        let own = [
            ("name".to_owned(), json!("titel")),
            ("price".to_owned(), json!("preis")),
            ("brands".to_owned(), json!({ "name": "marke" })),
        ];
        let mappings = Mappings::compile(Some(&own.into())).unwrap();
        assert!(mappings.own);
        assert!(mappings.products.rule(ProductField::Id).is_some());
        assert!(mappings.products.rule(ProductField::Sku).is_none());
        assert!(mappings.brands.rule(BrandField::Country).is_none());
        assert!(mappings.categories.rule(CategoryField::Parent).is_some());
    }

    #[test]
    fn mistakes_in_every_section_are_told() {
        let own = [
            ("name".to_owned(), json!("titel")),
            ("brands".to_owned(), json!({ "nam": "marke" })),
            ("categories".to_owned(), json!("kategorie")),
        ];
        let told: Vec<String> =
            Mappings::compile(Some(&own.into())).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "`price`: a mapping needs a rule for this field; nothing can be sold without it",
                "`brands.nam`: unknown target field `nam`, did you mean `name`?",
                "`categories`: a section, with rules for the documents in `categories`; for products use `category` or `brand`",
            ]
        );
    }
}
