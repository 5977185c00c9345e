//! Catalogues in files: a folder of exports, the folder that mongodump writes, or one file of products.
//!
//! What a file holds is told by its first bytes, never by its name: gzip, BSON as mongodump writes it, or JSON in any
//! layout. Files are read once, front to back, with the memory of one document.

use super::CatalogError;
use super::document::{LARGEST, Place, RawDocument};
use super::json_stream::{Broken, JsonDocuments};
use super::references::Beside;
use crate::config::Collections;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Bytes read from a file at once.
const CHUNK: usize = 256 * 1024;

/// mongodump may exceed MongoDB's limit by this much, as the server itself does.
const BSON_HEADROOM: usize = 16 * 1024;

const EXTENSIONS: [&str; 8] = ["bson", "json", "jsonl", "ndjson", "bson.gz", "json.gz", "jsonl.gz", "ndjson.gz"];

/// One collection and its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CollectionFile {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// The files of a catalogue.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) products: Vec<CollectionFile>,
    brands: Option<CollectionFile>,
    categories: Option<CollectionFile>,
    face_shape_compatibility: Option<CollectionFile>,
    user_analytics: Option<CollectionFile>,
}

impl Files {
    /// Finds the files below a path. One file holds the products; the other collections may lie beside it.
    pub(super) fn find(path: &Path, database: &str, collections: &Collections) -> Result<Self, CatalogError> {
        let metadata = path.metadata().map_err(|error| {
            let hint = if error.kind() == io::ErrorKind::NotFound { "; check `catalog.uri`" } else { "" };
            CatalogError::Invalid(format!("cannot open the catalogue `{}`: {}{hint}", path.display(), plain(&error)))
        })?;
        let is_folder = metadata.is_dir();
        let folder = if is_folder { dump_folder(path, database, collections) } else { parent(path) };
        let file = |name: &str| collection_file(&folder, name);
        let products = if is_folder {
            let found = collections
                .products
                .iter()
                .map(|name| file(name)?.ok_or_else(|| CatalogError::Invalid(missing(path, &folder, name))));
            found.collect::<Result<_, _>>()?
        } else {
            let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            vec![CollectionFile { name, path: path.to_owned() }]
        };
        let beside = |name: &str| {
            file(name).map(|found| found.filter(|found| products.iter().all(|taken| taken.path != found.path)))
        };
        Ok(Self {
            brands: beside(&collections.brands)?,
            categories: beside(&collections.categories)?,
            face_shape_compatibility: beside(&collections.face_shape_compatibility)?,
            user_analytics: beside(&collections.user_analytics)?,
            products,
        })
    }
}

impl Files {
    /// The file of another collection than products.
    pub(super) fn of(&self, kind: Beside) -> Option<&CollectionFile> {
        match kind {
            Beside::Brands => self.brands.as_ref(),
            Beside::Categories => self.categories.as_ref(),
            Beside::Compatibility => self.face_shape_compatibility.as_ref(),
            Beside::Events => self.user_analytics.as_ref(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &CollectionFile> {
        self.products.iter().chain(Beside::ALL.into_iter().filter_map(|kind| self.of(kind)))
    }

    /// Whether every file can be opened; reads no document.
    pub(super) fn check(&self) -> Result<(), CatalogError> {
        self.all().try_for_each(|file| FileDocuments::open(file).map(drop))
    }

    /// What shows whether any of the files has been written to: which they are, their sizes and times.
    pub(super) fn witness(&self) -> Option<Vec<u8>> {
        let mut witness = Vec::new();
        for file in self.all() {
            let metadata = file.path.metadata().ok()?;
            let since = |time: io::Result<SystemTime>| time.ok()?.duration_since(SystemTime::UNIX_EPOCH).ok();
            #[cfg(unix)]
            let identity = {
                use std::os::unix::fs::MetadataExt as _;
                (metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
            };
            #[cfg(not(unix))]
            let identity = since(metadata.created());
            let said = (&file.name, metadata.len(), since(metadata.modified()), identity);
            witness.extend(format!("{} {said:?}\n", file.path.display()).into_bytes());
        }
        Some(witness)
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().map_or_else(PathBuf::new, Path::to_owned)
}

/// mongodump writes a folder for each database; the catalogue may be given as that folder or one above it.
fn dump_folder(path: &Path, database: &str, collections: &Collections) -> PathBuf {
    let first = collections.products.first().map_or("products", String::as_str);
    let candidates = [path.to_owned(), path.join(database), path.join("dump").join(database)];
    let has_products = |folder: &PathBuf| matches!(collection_file(folder, first), Ok(Some(_)) | Err(_));
    candidates.into_iter().find(has_products).unwrap_or_else(|| path.to_owned())
}

fn collection_file(folder: &Path, name: &str) -> Result<Option<CollectionFile>, CatalogError> {
    let paths = EXTENSIONS.iter().map(|extension| folder.join(format!("{name}.{extension}")));
    let mut found: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    if let [first, second, ..] = found.as_slice() {
        return Err(CatalogError::Invalid(format!(
            "the collection `{name}` is there twice, `{}` and `{}`; remove one, or name the file in `catalog.uri`",
            first.display(),
            second.display()
        )));
    }
    Ok(found.pop().map(|path| CollectionFile { name: name.to_owned(), path }))
}

fn missing(path: &Path, folder: &Path, name: &str) -> String {
    let mut there: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
        .unwrap_or_default();
    there.sort();
    let most = 12;
    let more = if there.len() > most { format!(" and {} more", there.len() - most) } else { String::new() };
    there.truncate(most);
    let there = if there.is_empty() { "nothing".into() } else { format!("`{}`{more}", there.join("`, `")) };
    format!(
        "no file of the collection `{name}` in `{}` (`{name}.bson`, `.json`, `.jsonl` or `.ndjson`, also with `.gz`); there is {there}; \
         a dump of another database needs `catalog.database`, another name `catalog.collections.products`",
        path.display()
    )
}

/// The documents of one file.
pub(super) struct FileDocuments {
    path: PathBuf,
    format: Format,
}

enum Format {
    Bson { input: Box<dyn BufRead + Send>, offset: u64, finished: bool },
    Json(JsonDocuments<Box<dyn BufRead + Send>>),
}

impl FileDocuments {
    /// Opens a file and tells its format.
    pub(super) fn open(file: &CollectionFile) -> Result<Self, CatalogError> {
        let path = file.path.clone();
        let opened = File::open(&path).map_err(|error| failed(&path, &error))?;
        let mut plain = BufReader::with_capacity(CHUNK, opened);
        let is_gzip = plain.fill_buf().map_err(|error| failed(&path, &error))?.starts_with(&[0x1f, 0x8b]);
        let mut input: Box<dyn BufRead + Send> = if is_gzip {
            Box::new(BufReader::with_capacity(CHUNK, MultiGzDecoder::new(plain)))
        } else {
            Box::new(plain)
        };
        let start = first_bytes(&mut input, 8).map_err(|error| failed(&path, &error))?;
        let rest: Box<dyn BufRead + Send> = Box::new(BufReader::with_capacity(
            CHUNK,
            io::Cursor::new(start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start).to_vec()).chain(input),
        ));
        let format = match told_by(&start) {
            Kind::Bson => Format::Bson { input: rest, offset: 0, finished: false },
            Kind::Json => Format::Json(JsonDocuments::new(rest)),
            Kind::Other(what) => {
                return Err(CatalogError::Invalid(format!(
                    "`{}` is {what}; a catalogue file is JSON or BSON, as mongoexport and mongodump write them",
                    path.display()
                )));
            }
        };
        Ok(Self { path, format })
    }
}

impl Iterator for FileDocuments {
    type Item = Result<RawDocument, CatalogError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.format {
            Format::Json(documents) => documents.next().map(|found| {
                found.map_err(|broken| match broken {
                    Broken::Io(error) => failed(&self.path, &error),
                    Broken::Line(line, message) => {
                        CatalogError::Invalid(format!("`{}`, line {line}: {message}", self.path.display()))
                    }
                })
            }),
            Format::Bson { input, offset, finished } => {
                if *finished {
                    return None;
                }
                let found = next_bson(input, *offset, &self.path).transpose();
                match &found {
                    Some(Ok((_, length))) => *offset += *length,
                    _ => *finished = true,
                }
                found.map(|found| found.map(|(document, _)| document))
            }
        }
    }
}

enum Kind {
    Bson,
    Json,
    Other(&'static str),
}

fn told_by(start: &[u8]) -> Kind {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    if start.starts_with(&[0x6d, 0xe2, 0x99, 0x81]) {
        return Kind::Other("a mongodump archive; dump into a folder instead, without `--archive`");
    }
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return Kind::Other("text in UTF-16; save it as UTF-8");
    }
    if start.starts_with(b"PK\x03\x04") {
        return Kind::Other("a zip archive; unpack it first");
    }
    // The length that BSON begins with has a zero among its bytes up to 16 MiB; JSON text never holds one.
    if start.len() >= 4 && start[..4].contains(&0) || (1..4).contains(&start.len()) && start.contains(&0) {
        return Kind::Bson;
    }
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None | Some(b'{' | b'[') => Kind::Json,
        // Enough blanks, or a line that is broken, may stand before the first document.
        Some(byte) if byte.is_ascii_digit() || matches!(byte, b'"' | b'}' | b']') => Kind::Json,
        Some(_) => Kind::Other("not JSON and not BSON"),
    }
}

fn first_bytes(input: &mut impl BufRead, wanted: u64) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    input.take(wanted).read_to_end(&mut start)?;
    Ok(start)
}

fn next_bson(input: &mut impl BufRead, offset: u64, path: &Path) -> Result<Option<(RawDocument, u64)>, CatalogError> {
    let cut = |part: &str| {
        let message = format!("`{}` ends inside the {part} at byte {offset}; dump it again", path.display());
        CatalogError::Invalid(message)
    };
    let head = first_bytes(input, 4).map_err(|error| failed(path, &error))?;
    if head.is_empty() {
        return Ok(None);
    }
    let head: [u8; 4] = head.try_into().map_err(|_| cut("length of the document"))?;
    let length = usize::try_from(i32::from_le_bytes(head)).unwrap_or(0);
    if !(5..=LARGEST + BSON_HEADROOM).contains(&length) {
        return Err(CatalogError::Invalid(format!(
            "`{}` is damaged at byte {offset}: {length} is not the length of a document; dump it again",
            path.display()
        )));
    }
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(&head);
    let rest = length as u64 - 4;
    input.take(rest).read_to_end(&mut bytes).map_err(|error| failed(path, &error))?;
    if bytes.len() < length {
        return Err(cut("document"));
    }
    Ok(Some((RawDocument::bson(&bytes, Place::Byte(offset)), length as u64)))
}

fn failed(path: &Path, error: &io::Error) -> CatalogError {
    let what = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the compressed file ends too early; make it again".into(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            format!("the compressed file is damaged ({error}); make it again")
        }
        _ => plain(error),
    };
    CatalogError::Invalid(format!("cannot read `{}`: {what}", path.display()))
}

/// The system's words for an error, without its number.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::document::tests::exported;
    use flate2::{Compression, write::GzEncoder};
    use mongodb::bson::{Bson, Document, doc};
    use std::io::Write as _;

    fn sample() -> Vec<Document> {
        (0..5)
            .map(|at| doc! { "_id": at, "name": format!("Frame {at} \"{{[\u{1f453}"), "price": 1.25 * f64::from(at), "n": f64::NAN })
            .collect()
    }

    fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(path: &Path) -> Result<Vec<String>, CatalogError> {
        let file = CollectionFile { name: "products".into(), path: path.to_owned() };
        let mut read = Vec::new();
        for document in FileDocuments::open(&file)? {
            let document = document?;
            read.push(match document.decode() {
                Ok(decoded) => {
                    let value = |key: &str| decoded.root.get(key).cloned();
                    format!("{:?} {:?} {:?} {:?}", value("_id"), value("name"), value("price"), value("n"))
                }
                Err(_) => format!("{} broken", document.label()),
            });
        }
        Ok(read)
    }

    fn bson(documents: &[Document]) -> Vec<u8> {
        documents.iter().flat_map(|document| document.to_vec().unwrap()).collect()
    }

    fn lines(documents: &[Document], canonical: bool) -> Vec<String> {
        documents.iter().map(|document| exported(&Bson::Document(document.clone()), canonical).to_string()).collect()
    }

    #[test]
    fn every_format_gives_the_same_documents_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let documents = sample();
        let pretty: Vec<String> = documents
            .iter()
            .map(|document| serde_json::to_string_pretty(&exported(&Bson::Document(document.clone()), false)).unwrap())
            .collect();
        let layouts = [
            bson(&documents),
            lines(&documents, true).join("\n").into_bytes(),
            lines(&documents, false).join("\r\n").into_bytes(),
            format!("\u{feff}{}\n", lines(&documents, false).join("\n")).into_bytes(),
            format!("[{}]", lines(&documents, true).join(",\n")).into_bytes(),
            pretty.join("\n").into_bytes(),
            format!("\u{feff}[\n{}\n]\n", pretty.join(",\n")).into_bytes(),
            lines(&documents, false).concat().into_bytes(),
        ];
        let expected = read(&write(folder.path(), "expected.bson", &layouts[0])).unwrap();
        assert_eq!(expected.len(), documents.len());
        for (at, layout) in layouts.iter().enumerate() {
            for (name, bytes) in [("wrong.bson", layout.clone()), ("wrong.json", gzip(layout))] {
                assert_eq!(read(&write(folder.path(), name, &bytes)).unwrap(), expected, "layout {at}, {name}");
            }
        }
        let members = [gzip(&bson(&documents[..2])), gzip(&bson(&documents[2..]))].concat();
        assert_eq!(read(&write(folder.path(), "members", &members)).unwrap(), expected);
        assert_eq!(read(&write(folder.path(), "empty", b"")).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_damaged_file_is_an_error_that_says_where() {
        let folder = tempfile::tempdir().unwrap();
        let documents = sample();
        let whole = bson(&documents);
        let first = documents[0].to_vec().unwrap().len();
        let mut damaged = whole.clone();
        damaged[first] = 3;
        let json = lines(&documents, false).join("\n");
        let zipped = gzip(&whole);
        for (bytes, expected) in [
            (whole[..first + 9].to_vec(), format!("ends inside the document at byte {first}")),
            (whole[..first + 2].to_vec(), format!("ends inside the length of the document at byte {first}")),
            ([&whole[..first], &[3, 0, 0, 0]].concat(), format!("is damaged at byte {first}")),
            ([&whole[..first], &[0xff; 4]].concat(), format!("is damaged at byte {first}")),
            (json.as_bytes()[..json.len() - 4].to_vec(), "line 5: the file ends in the middle".into()),
            (b"[{\"_id\":1}]\n]".to_vec(), "line 2: there is more text".into()),
            (zipped[..zipped.len() - 12].to_vec(), "ends too early".into()),
            ([&zipped[..20], &[0; 40]].concat(), "compressed file".into()),
            (b"sku,name\n1,Lido\n".to_vec(), "not JSON and not BSON".into()),
            (b"\xff\xfe{\x00".to_vec(), "UTF-16".into()),
            (b"\x6d\xe2\x99\x81rest".to_vec(), "mongodump archive".into()),
        ] {
            let path = write(folder.path(), "products.json", &bytes);
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(&expected) && error.contains("products.json"), "{expected}: {error}");
        }
    }

    #[test]
    fn collections_are_found_in_a_folder_in_a_dump_and_beside_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let names = Collections::default();
        let found = |path: &Path| {
            Files::find(path, "eyewear_ml", &names)
                .map(|files| (files.products[0].path.clone(), files.brands.is_some()))
        };
        let error = found(folder.path()).unwrap_err().to_string();
        assert!(error.contains("`products`") && error.contains("there is nothing"), "{error}");
        assert!(found(&folder.path().join("nowhere")).unwrap_err().to_string().contains("no such file"));

        let dumped = write(folder.path(), "dump/eyewear_ml/products.bson.gz", b"");
        write(folder.path(), "dump/eyewear_ml/products.metadata.json.gz", b"");
        write(folder.path(), "dump/eyewear_ml/brands.bson.gz", b"");
        for path in ["", "dump", "dump/eyewear_ml"] {
            assert_eq!(found(&folder.path().join(path)).unwrap(), (dumped.clone(), true), "{path}");
        }
        let plain = write(folder.path(), "products.jsonl", b"");
        assert_eq!(found(folder.path()).unwrap(), (plain, false));
        write(folder.path(), "brands.json", b"");
        let single = write(folder.path(), "export.txt", b"");
        assert_eq!(found(&single).unwrap(), (single, true));
        write(folder.path(), "products.json", b"");
        assert!(found(folder.path()).unwrap_err().to_string().contains("there twice"));
    }
}
