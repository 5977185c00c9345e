//! Pictures, videos and 3D models of a product: only addresses that are safe to load, each once, in display order.

use super::document::Value;
use super::product::{ArModel, Image, ModelFormat, Video};
use super::reading::{Reading, line_of, quoted};
use super::scalars;
use super::targets::ProductField as Field;
use super::vocabulary::key_of;

/// Most pictures of a product.
const MOST_IMAGES: usize = 40;

/// Most videos and most models of a product.
const MOST_OTHERS: usize = 10;

/// Largest plausible width or height in pixels.
const MOST_PIXELS: i64 = 100_000;

/// The pictures: primary ones first, then by their order.
pub(super) fn images(reading: &mut Reading<'_, '_, Field>) -> Vec<Image> {
    let mut ranked: Vec<((bool, i64, usize), Image)> = Vec::new();
    for (at, item) in reading.many(Field::Images).iter().enumerate() {
        let Some(source) = address(reading, Field::Images, item, true) else { continue };
        if ranked.iter().any(|(_, image)| image.source == source) {
            continue;
        }
        let number = |key: &str| item.get(key).and_then(scalars::integer);
        let pixels = |key: &str| {
            number(key).filter(|&size| size > 0 && size <= MOST_PIXELS).and_then(|size| u32::try_from(size).ok())
        };
        let role = item
            .get("role")
            .and_then(|role| line_of(role, 40))
            .map(|role| key_of(&role))
            .filter(|role| !role.is_empty());
        let rank = (role.as_deref() != Some("primary"), number("order").unwrap_or(i64::MAX), at);
        let alt = item.get("alt").and_then(|alt| line_of(alt, 300));
        ranked.push((rank, Image { source, alt, role, dimensions: pixels("width").zip(pixels("height")) }));
        if ranked.len() == MOST_IMAGES {
            break;
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, image)| image).collect()
}

/// The videos, in the catalogue's order.
pub(super) fn videos(reading: &mut Reading<'_, '_, Field>) -> Vec<Video> {
    let mut videos: Vec<Video> = Vec::new();
    for item in reading.many(Field::Videos).iter().take(MOST_OTHERS) {
        let Some(source) = address(reading, Field::Videos, item, false) else { continue };
        let thumbnail = item.get("thumbnail").and_then(scalars::text);
        let thumbnail = thumbnail.and_then(|thumbnail| scalars::media_address(&thumbnail, true));
        let duration = item.get("duration").and_then(scalars::integer);
        let duration = duration.and_then(|seconds| u32::try_from(seconds).ok()).filter(|seconds| *seconds > 0);
        if videos.iter().all(|video| video.source != source) {
            videos.push(Video { source, thumbnail, duration });
        }
    }
    videos
}

/// The 3D models in formats that browsers know; the format is taken from the address where the catalogue has none.
pub(super) fn models(reading: &mut Reading<'_, '_, Field>) -> Vec<ArModel> {
    let mut models: Vec<ArModel> = Vec::new();
    for item in reading.many(Field::Models).iter().take(MOST_OTHERS) {
        let Some(source) = address(reading, Field::Models, item, false) else { continue };
        let stated = item.get("format").and_then(|format| line_of(format, 20));
        let path = source.split(['?', '#']).next().unwrap_or_default();
        let ending = path.rsplit_once('.').map(|(_, extension)| extension);
        let Some(format) = stated.as_deref().and_then(model_format).or_else(|| ending.and_then(model_format)) else {
            reading.repaired("unknown_model_format", Field::Models, || {
                format!("the 3D model {} is neither `glb`, `gltf` nor `usdz`, so it was left out", quoted(item))
            });
            continue;
        };
        if models.iter().all(|model| model.source != source) {
            models.push(ArModel { source, format });
        }
    }
    models
}

fn model_format(name: &str) -> Option<ModelFormat> {
    match name.trim_start_matches('.').to_ascii_lowercase().as_str() {
        "glb" | "gltf" => Some(ModelFormat::Gltf),
        "usdz" => Some(ModelFormat::Usdz),
        _ => None,
    }
}

fn address(reading: &mut Reading<'_, '_, Field>, field: Field, item: &Value<'_>, data_allowed: bool) -> Option<String> {
    let value = match item {
        Value::Map(_) => item.get("url").or_else(|| item.get("src"))?,
        scalar => scalar,
    };
    if !value.is_given() {
        return None;
    }
    let address = scalars::text(value).and_then(|text| scalars::media_address(&text, data_allowed));
    if address.is_none() {
        reading.repaired("bad_media_address", field, || {
            let safe = "`http(s)`, `data:image`, `gridfs` or a path inside the folder of pictures";
            // What stands before an `@` may be a password.
            let shown = if quoted(value).contains('@') { "an address".into() } else { quoted(value) };
            format!("{shown} was left out; an address is {safe}")
        });
    }
    address
}
