//! 3D models that a catalogue points at: a source as it stands in a product in, one finished file out.
//!
//! A model is told by its bytes, never by its name, and what goes into a store is always one file: glTF that is spread
//! over several, or has its contents written into its text, is packed into a binary one. What the store's own viewer
//! could not show is refused here, where somebody can still mend it. Files are found as pictures are, so that nothing
//! outside the folder of pictures is ever opened.

use super::fetch::Fetched;
use super::media::{Distant, Media, MediaProblem, remote, shortened, shown_address};
use crate::catalog::product::{ArModel, ModelFormat, Product};
use base64::Engine as _;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use url::Url;

/// Largest model in bytes: the most that usual hosts of static sites take as one file, and far more than a phone likes.
const LARGEST: u64 = 25 << 20;
/// Folder of the models in a store.
const FOLDER: &str = "assets/models";
/// Forms of compression that need decoders of their own.
const COMPRESSIONS: [&str; 4] =
    ["KHR_draco_mesh_compression", "EXT_meshopt_compression", "KHR_meshopt_compression", "KHR_texture_basisu"];

/// Chunks of a binary glTF file.
const JSON_CHUNK: u32 = 0x4e4f_534a;
const BINARY_CHUNK: u32 = 0x004e_4942;

/// A model that pages may point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Where it is.
    pub place: ModelPlace,
    /// As its bytes say; as the catalogue says for one that is linked.
    pub format: ModelFormat,
}

/// Where a model is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelPlace {
    /// On another server, at this address; the store links there.
    Linked(String),
    /// In the store, at this path, with so many bytes.
    Own(String, u64),
}

impl Model {
    /// Its path in the store, if it is there.
    pub fn own_path(&self) -> Option<&str> {
        match &self.place {
            ModelPlace::Own(path, _) => Some(path),
            ModelPlace::Linked(_) => None,
        }
    }
}

type Outcome = Result<Model, MediaProblem>;

/// A source that has been looked at.
#[derive(Clone)]
struct Looked {
    outcome: Outcome,
    /// Sources of the files that belong to it, whether they are there or not.
    parts: Vec<String>,
}

/// The models that have been looked at so far.
#[derive(Default)]
pub(super) struct Known {
    local: Mutex<BTreeMap<String, Arc<OnceLock<Looked>>>>,
    /// Models on servers and in the database, by address.
    fetched: RwLock<BTreeMap<String, (Outcome, Option<Fetched>)>>,
}

impl Media {
    /// Finds out what the source of a model stands for.
    ///
    /// # Errors
    /// When there is no model that a store may show, with the reason.
    pub fn model(&self, model: &ArModel) -> Outcome {
        let Some(place) = self.distant(&model.source) else { return self.local_model(&model.source).outcome };
        let address = place.to_string();
        let fetched = self.models.fetched.read().unwrap_or_else(PoisonError::into_inner);
        match fetched.get(&address) {
            Some((outcome, _)) => outcome.clone(),
            None => Ok(Model { place: ModelPlace::Linked(address), format: model.format }),
        }
    }

    /// Paths in the store of a product's models, as far as they are there.
    pub fn own_models(&self, product: &Product) -> Box<[Box<str>]> {
        let models = product.models.iter().filter_map(|model| self.model(model).ok());
        models.filter_map(|model| model.own_path().map(Into::into)).collect()
    }

    /// Sources of the files beside a model in the folder of pictures that it is made of.
    pub fn parts_of_model(&self, model: &ArModel) -> Vec<String> {
        if self.distant(&model.source).is_some() { Vec::new() } else { self.local_model(&model.source).parts }
    }

    /// The finished file of a model that belongs into the store; nothing for one that is linked.
    ///
    /// # Errors
    /// As [`Media::model`], and when the model is no longer what it was when it was resolved.
    pub fn model_bytes(&self, model: &ArModel) -> Result<Option<Vec<u8>>, MediaProblem> {
        let Model { place: ModelPlace::Own(path, _), .. } = self.model(model)? else { return Ok(None) };
        let (bytes, format) = match self.distant(&model.source) {
            Some(place) => {
                let address = place.to_string();
                let fetched = self.models.fetched.read().unwrap_or_else(PoisonError::into_inner);
                let fetched = fetched.get(&address).and_then(|(_, fetched)| fetched.clone());
                let bytes = fetched.and_then(|fetched| fetched.bytes()).ok_or_else(|| gone_from_cache(&address))?;
                finished(bytes, &|part| Err(apart(part)))
            }
            None => self.read_model(&model.source, &RefCell::default()),
        }
        .map_err(|problem| problem.about(&shortened(&model.source)))?;
        if path_of(&bytes, format) != path {
            let detail = format!("`{}` has changed since the catalogue was read; run again", shortened(&model.source));
            return Err(MediaProblem { reason: "media_changed", detail });
        }
        Ok(Some(bytes))
    }

    /// Takes what came of fetching a model; from then on its address stands for that.
    pub fn take_fetched_model(
        &self,
        place: &Distant,
        outcome: Result<Fetched, MediaProblem>,
    ) -> Result<(), MediaProblem> {
        let address = place.to_string();
        let outcome = outcome.and_then(|fetched| {
            let bytes = fetched.bytes().ok_or_else(|| gone_from_cache(&address))?;
            let model = finished(bytes, &|part| Err(apart(part))).map(|(bytes, format)| own(&bytes, format));
            Ok((model.map_err(|problem| problem.about(&shown_address(&address)))?, fetched))
        });
        let told = outcome.as_ref().map(drop).map_err(Clone::clone);
        let kept = match outcome {
            Ok((model, fetched)) => (Ok(model), Some(fetched)),
            Err(problem) => (Err(problem), None),
        };
        self.models.fetched.write().unwrap_or_else(PoisonError::into_inner).insert(address, kept);
        told
    }

    /// Lets the address of a model stand for itself again.
    pub fn forget_fetched_model(&self, place: &Distant) {
        self.models.fetched.write().unwrap_or_else(PoisonError::into_inner).remove(&place.to_string());
    }

    fn local_model(&self, source: &str) -> Looked {
        let mut known = self.models.local.lock().unwrap_or_else(PoisonError::into_inner);
        let place = Arc::clone(known.entry(source.to_string()).or_default());
        drop(known);
        let look = || {
            let parts = RefCell::default();
            let read = self.read_model(source, &parts).map(|(bytes, format)| own(&bytes, format));
            let outcome = read.map_err(|problem| problem.about(&shortened(source)));
            Looked { outcome, parts: parts.into_inner() }
        };
        place.get_or_init(look).clone()
    }

    /// Reads a model of the folder of pictures with everything that belongs to it, and takes note of what that is.
    fn read_model(&self, source: &str, parts: &RefCell<Vec<String>>) -> Result<(Vec<u8>, ModelFormat), ModelProblem> {
        let folder = source.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder);
        let part = |name: &str| {
            let part = if folder.is_empty() { name.to_string() } else { format!("{folder}/{name}") };
            parts.borrow_mut().push(part.clone());
            self.read_inside(&part)
        };
        // What is an address, and still not distant, is one that nothing is taken from.
        if let Some(problem) = Url::parse(source).ok().and_then(|url| remote(&url).err()) {
            return Err(ModelProblem::Whole(problem));
        }
        finished(self.read_inside(source)?, &part)
    }

    fn read_inside(&self, source: &str) -> Result<Vec<u8>, ModelProblem> {
        let (path, _) = self.file_inside(source, LARGEST).map_err(ModelProblem::Whole)?;
        let unreadable =
            |error| MediaProblem::new("media_unreadable", format!("`{}` cannot be read: {error}", shortened(source)));
        fs::read(path).map_err(|error| ModelProblem::Whole(unreadable(error)))
    }
}

/// Why a model cannot be shown.
enum ModelProblem {
    /// The file itself cannot be had, and this says why.
    Whole(MediaProblem),
    /// The reason, and what is wrong as it follows the name of the model.
    Contents(&'static str, String),
}

impl ModelProblem {
    fn about(self, shown: &str) -> MediaProblem {
        match self {
            Self::Whole(problem) => problem,
            Self::Contents(reason, detail) => {
                MediaProblem { reason, detail: format!("the 3D model `{shown}` {detail}") }
            }
        }
    }
}

fn odd(detail: &str) -> ModelProblem {
    ModelProblem::Contents("model_odd", format!("{detail}; export it again as `.glb`"))
}

fn apart(part: &str) -> ModelProblem {
    let detail = format!("needs `{}`, which is not in it; export it as one `.glb` file", shortened(part));
    ModelProblem::Contents("model_incomplete", detail)
}

fn gone_from_cache(address: &str) -> MediaProblem {
    MediaProblem::new(
        "media_unreachable",
        format!("the 3D model `{}` is gone from the cache; run again", shown_address(address)),
    )
}

fn own(bytes: &[u8], format: ModelFormat) -> Model {
    Model { place: ModelPlace::Own(path_of(bytes, format), bytes.len() as u64), format }
}

fn path_of(bytes: &[u8], format: ModelFormat) -> String {
    let extension = if format == ModelFormat::Usdz { "usdz" } else { "glb" };
    format!("{FOLDER}/{}.{extension}", &blake3::hash(bytes).to_hex()[..32])
}

/// Makes one file of a model, and tells by its bytes what it is.
fn finished(
    bytes: Vec<u8>,
    part: &dyn Fn(&str) -> Result<Vec<u8>, ModelProblem>,
) -> Result<(Vec<u8>, ModelFormat), ModelProblem> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).trim_ascii_start();
    let (finished, format) = if bytes.starts_with(b"glTF") {
        let (document, body) = chunks(&bytes)?;
        match packed(document, body, part)? {
            Some(packed) => (packed, ModelFormat::Gltf),
            None => (bytes, ModelFormat::Gltf),
        }
    } else if text.starts_with(b"{") {
        let document = serde_json::from_slice(text).map_err(|_| odd("is not valid JSON"))?;
        let alone = odd("holds nothing to show");
        (packed(document, None, part)?.ok_or(alone)?, ModelFormat::Gltf)
    } else if bytes.starts_with(b"PK\x03\x04") {
        check_usdz(&bytes)?;
        (bytes, ModelFormat::Usdz)
    } else {
        let detail = "is neither glTF (`.glb`, `.gltf`) nor `.usdz`; export it as one of them".to_string();
        return Err(ModelProblem::Contents("model_unknown", detail));
    };
    if finished.len() as u64 > LARGEST {
        let detail = format!("comes to {} MB; at most {} are taken", finished.len() >> 20, LARGEST >> 20);
        return Err(ModelProblem::Contents("media_too_large", detail));
    }
    Ok((finished, format))
}

/// The document of a binary glTF file, and what else is in it.
fn chunks(bytes: &[u8]) -> Result<(Value, Option<&[u8]>), ModelProblem> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if number(4).is_some_and(|version| version != 2) {
        return Err(odd("is of a version of glTF other than 2"));
    }
    let cut = || odd("is cut off");
    let whole = number(8).ok_or_else(cut)? as usize;
    let mut rest = bytes.get(12..whole).ok_or_else(cut)?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (head, after) = rest.split_at_checked(8).ok_or_else(cut)?;
        let [a, b, c, d, e, f, g, h] = *head else { return Err(cut()) };
        let (chunk, after) = after.split_at_checked(u32::from_le_bytes([a, b, c, d]) as usize).ok_or_else(cut)?;
        found.push((u32::from_le_bytes([e, f, g, h]), chunk));
        rest = after;
    }
    match found[..] {
        [(JSON_CHUNK, text), ref others @ ..] => {
            let document = serde_json::from_slice(text).map_err(|_| odd("holds no valid JSON"))?;
            let body = others.iter().find(|(kind, _)| *kind == BINARY_CHUNK).map(|(_, body)| *body);
            Ok((document, body))
        }
        _ => Err(odd("does not begin with its description")),
    }
}

/// Checks a glTF document and packs everything that it points at into one binary file. Nothing where all is in `body`
/// already.
fn packed(
    mut document: Value,
    body: Option<&[u8]>,
    part: &dyn Fn(&str) -> Result<Vec<u8>, ModelProblem>,
) -> Result<Option<Vec<u8>>, ModelProblem> {
    if !document["asset"]["version"].as_str().is_some_and(|version| version.starts_with("2.")) {
        return Err(odd("does not say that it is glTF 2"));
    }
    let used = document["extensionsUsed"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(extension) = used.into_iter().find(|extension| COMPRESSIONS.contains(extension)) {
        let detail =
            format!("is compressed with `{extension}`, which the store's viewer cannot read; export it without");
        return Err(ModelProblem::Contents("model_compressed", detail));
    }
    if document["meshes"].as_array().is_none_or(Vec::is_empty) {
        return Err(odd("holds nothing to show"));
    }
    let list = |name: &str| document[name].as_array().cloned().unwrap_or_default();
    let (mut buffers, mut views, mut images) = (list("buffers"), list("bufferViews"), list("images"));
    let is_spread = buffers.iter().chain(&images).any(|item| item["uri"].is_string());

    let mut whole = Vec::new();
    let mut starts = Vec::new();
    for (at, buffer) in buffers.iter().enumerate() {
        let contents = match buffer["uri"].as_str() {
            Some(uri) => contents_of(uri, part)?,
            None if at == 0 => body.unwrap_or_default().to_vec(),
            None => return Err(odd("has a part that is nowhere")),
        };
        let length = number_in(&buffer["byteLength"]).unwrap_or(0);
        let contents = contents.get(..length).ok_or_else(|| odd("is cut off"))?;
        starts.push((append(&mut whole, contents), length));
    }
    for view in &mut views {
        let at = number_in(&view["buffer"]).and_then(|buffer| starts.get(buffer));
        let (start, room) = *at.ok_or_else(|| odd("has a part that is nowhere"))?;
        let offset = number_in(&view["byteOffset"]).unwrap_or(0);
        let end = number_in(&view["byteLength"]).and_then(|length| offset.checked_add(length));
        if end.is_none_or(|end| end > room) {
            return Err(odd("is cut off"));
        }
        view["buffer"] = json!(0);
        view["byteOffset"] = json!(start + offset);
    }
    if !is_spread {
        return Ok(None);
    }
    for image in &mut images {
        let Some(uri) = image["uri"].as_str() else { continue };
        let contents = contents_of(uri, part)?;
        let media_type = match contents.as_slice() {
            [0x89, b'P', b'N', b'G', ..] => "image/png",
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            _ => return Err(odd("has a picture that is neither PNG, JPEG nor WebP")),
        };
        let start = append(&mut whole, &contents);
        views.push(json!({ "buffer": 0, "byteOffset": start, "byteLength": contents.len() }));
        if let Some(fields) = image.as_object_mut() {
            fields.remove("uri");
            fields.insert("bufferView".into(), json!(views.len() - 1));
            fields.insert("mimeType".into(), json!(media_type));
        }
    }
    buffers = vec![json!({ "byteLength": whole.len() })];
    for (name, list) in [("buffers", buffers), ("bufferViews", views), ("images", images)] {
        if !list.is_empty() {
            document[name] = Value::Array(list);
        }
    }
    written(&document, whole).map(Some)
}

/// Adds a part where a part may begin; tells where that is.
fn append(whole: &mut Vec<u8>, part: &[u8]) -> usize {
    whole.resize(whole.len().next_multiple_of(4), 0);
    whole.extend_from_slice(part);
    whole.len() - part.len()
}

fn number_in(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}

/// What a glTF document points at: a `data:` URL, or a file beside it.
fn contents_of(uri: &str, part: &dyn Fn(&str) -> Result<Vec<u8>, ModelProblem>) -> Result<Vec<u8>, ModelProblem> {
    if let Some(rest) = uri.strip_prefix("data:") {
        let encoded = rest.split_once(";base64,").map(|(_, encoded)| encoded);
        let decoded = encoded.and_then(|encoded| base64::engine::general_purpose::STANDARD.decode(encoded).ok());
        return decoded.ok_or_else(|| odd("has contents that are not valid base64"));
    }
    if uri.contains(':') || uri.starts_with(['/', '\\']) {
        return Err(apart(uri));
    }
    let name = percent_encoding::percent_decode_str(uri).decode_utf8().map_err(|_| apart(uri))?;
    part(&name)
}

/// A binary glTF file.
fn written(document: &Value, mut body: Vec<u8>) -> Result<Vec<u8>, ModelProblem> {
    let mut text = serde_json::to_vec(document).map_err(|_| odd("cannot be packed"))?;
    text.resize(text.len().next_multiple_of(4), b' ');
    body.resize(body.len().next_multiple_of(4), 0);
    let length = |bytes: usize| u32::try_from(bytes).map_err(|_| odd("is too large to be packed"));
    let mut file = b"glTF".to_vec();
    for number in [2, length(12 + 8 + text.len() + 8 + body.len())?, length(text.len())?, JSON_CHUNK] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    file.extend_from_slice(&text);
    for number in [length(body.len())?, BINARY_CHUNK] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    file.extend_from_slice(&body);
    Ok(file)
}

/// A `.usdz` is a ZIP file without compression whose first file is the scene.
fn check_usdz(bytes: &[u8]) -> Result<(), ModelProblem> {
    let short = |at: usize| Some(usize::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    let name = short(26).and_then(|length| bytes.get(30..30 + length)).unwrap_or_default();
    let is_scene = [&b".usdc"[..], b".usda", b".usd"].iter().any(|ending| name.ends_with(ending));
    if short(8) == Some(0) && is_scene {
        return Ok(());
    }
    let detail = "is a ZIP file, but no `.usdz` that phones open; export it again".to_string();
    Err(ModelProblem::Contents("model_odd", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn model(source: &str) -> ArModel {
        ArModel { source: source.into(), format: ModelFormat::Gltf }
    }

    /// A document with a mesh, whose corners are in a buffer with these fields.
    fn document(buffer: Value) -> Value {
        json!({
            "asset": { "version": "2.0" },
            "meshes": [{ "primitives": [{ "attributes": { "POSITION": 0 } }] }],
            "accessors": [{ "bufferView": 0, "componentType": 5126, "count": 1, "type": "VEC3" }],
            "bufferViews": [{ "buffer": 0, "byteOffset": 4, "byteLength": 12 }],
            "buffers": [buffer],
        })
    }

    fn binary(document: &Value, body: &[u8]) -> Vec<u8> {
        written(document, body.to_vec()).ok().expect("a file")
    }

    fn reason(folder: &Path, source: &str) -> &'static str {
        let problem = Media::new(Some(folder)).model(&model(source)).expect_err(source);
        assert!(problem.detail.contains(source) || problem.detail.contains("body.bin"), "{problem}");
        problem.reason
    }

    #[test]
    fn a_binary_file_stays_as_it_is_and_is_named_after_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = binary(&document(json!({ "byteLength": 16 })), &[7; 16]);
        fs::write(folder.path().join("a.glb"), &bytes).unwrap();
        fs::write(folder.path().join("b.usdz"), &bytes).unwrap();
        let media = Media::new(Some(folder.path()));
        let found = media.model(&model("a.glb")).unwrap();
        assert_eq!(found, media.model(&model("b.usdz")).unwrap(), "told by its bytes");
        assert!(found.own_path().is_some_and(|path| path.starts_with("assets/models/") && path.ends_with(".glb")));
        assert_eq!(media.model_bytes(&model("a.glb")).unwrap(), Some(bytes));
        fs::write(folder.path().join("a.glb"), binary(&document(json!({ "byteLength": 16 })), &[8; 16])).unwrap();
        assert_eq!(media.model_bytes(&model("a.glb")).unwrap_err().reason, "media_changed");
    }

    #[test]
    fn what_is_spread_over_files_is_packed_into_one() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::create_dir(folder.join("m")).unwrap();
        fs::write(folder.join("m/my body.bin"), [9; 16]).unwrap();
        fs::write(folder.join("m/skin.png"), b"\x89PNG-and-more").unwrap();
        let mut spread = document(json!({ "byteLength": 16, "uri": "my%20body.bin" }));
        spread["images"] = json!([{ "uri": "skin.png" }]);
        fs::write(folder.join("m/a.gltf"), spread.to_string()).unwrap();
        let media = Media::new(Some(folder));
        assert_eq!(media.parts_of_model(&model("m/a.gltf")), ["m/my body.bin", "m/skin.png"]);
        let bytes = media.model_bytes(&model("m/a.gltf")).unwrap().unwrap();
        let (packed, body) = chunks(&bytes).ok().unwrap();
        assert_eq!(packed["buffers"], json!([{ "byteLength": 29 }]));
        assert_eq!(packed["images"], json!([{ "bufferView": 1, "mimeType": "image/png" }]));
        assert_eq!(packed["bufferViews"][1], json!({ "buffer": 0, "byteOffset": 16, "byteLength": 13 }));
        assert_eq!(&body.unwrap()[..29], [&[9; 16][..], b"\x89PNG-and-more"].concat());

        let encoded = base64::engine::general_purpose::STANDARD.encode([9; 16]);
        let inside =
            document(json!({ "byteLength": 16, "uri": format!("data:application/octet-stream;base64,{encoded}") }));
        fs::write(folder.join("b.gltf"), inside.to_string()).unwrap();
        let bytes = media.model_bytes(&model("b.gltf")).unwrap().unwrap();
        assert_eq!(bytes, binary(&document(json!({ "byteLength": 16 })), &[9; 16]));
    }

    #[test]
    fn what_cannot_be_shown_is_refused_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let whole = binary(&document(json!({ "byteLength": 16 })), &[7; 16]);
        let write = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
        let mut compressed = document(json!({ "byteLength": 16 }));
        compressed["extensionsUsed"] = json!(["KHR_draco_mesh_compression"]);
        write("draco.glb", &binary(&compressed, &[7; 16]));
        write("cut.glb", &whole[..whole.len() - 4]);
        write("short.glb", &binary(&document(json!({ "byteLength": 16 })), &[7; 8]));
        write("view.glb", &binary(&document(json!({ "byteLength": 12 })), &[7; 16]));
        write("empty.glb", b"");
        write("old.glb", b"glTF\x01\0\0\0\0\0\0\0");
        write("page.glb", b"<html>");
        write("bare.gltf", br#"{"asset":{"version":"2.0"}}"#);
        write("broken.gltf", b"{");
        write("apart.gltf", document(json!({ "byteLength": 16, "uri": "body.bin" })).to_string().as_bytes());
        write("out.gltf", document(json!({ "byteLength": 16, "uri": "../body.bin" })).to_string().as_bytes());
        write(
            "web.gltf",
            document(json!({ "byteLength": 16, "uri": "https://a.example/body.bin" })).to_string().as_bytes(),
        );
        write("zip.usdz", b"PK\x03\x04\x0a\0\0\0\x08\0aaaabbbbccccdddd\x06\0\0\0a.usdc");
        for (source, expected) in [
            ("draco.glb", "model_compressed"),
            ("cut.glb", "model_odd"),
            ("short.glb", "model_odd"),
            ("view.glb", "model_odd"),
            ("empty.glb", "model_unknown"),
            ("old.glb", "model_odd"),
            ("page.glb", "model_unknown"),
            ("bare.gltf", "model_odd"),
            ("broken.gltf", "model_odd"),
            ("apart.gltf", "media_missing"),
            ("out.gltf", "media_outside_catalog"),
            ("web.gltf", "model_incomplete"),
            ("zip.usdz", "model_odd"),
            ("nowhere.glb", "media_missing"),
            ("../a.glb", "media_outside_catalog"),
        ] {
            assert_eq!(reason(folder, source), expected, "{source}");
        }
        let large = fs::File::create(folder.join("large.glb")).unwrap();
        large.set_len(LARGEST + 1).unwrap();
        assert_eq!(reason(folder, "large.glb"), "media_too_large");
    }

    #[test]
    fn a_scene_for_phones_is_taken_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let scene = b"PK\x03\x04\x0a\0\0\0\0\0aaaabbbbccccdddd\x06\0\0\0a.usdc";
        fs::write(folder.path().join("a.usdz"), scene).unwrap();
        let found = Media::new(Some(folder.path())).model(&model("a.usdz")).unwrap();
        assert_eq!(found.format, ModelFormat::Usdz);
        assert!(found.own_path().is_some_and(|path| path.ends_with(".usdz")));
    }

    #[test]
    fn models_on_servers_are_linked() {
        let found = Media::new(None).model(&model("https://cdn.example/a.glb")).unwrap();
        assert_eq!(found.place, ModelPlace::Linked("https://cdn.example/a.glb".into()));
    }
}
