//! The pictures of a store: originals in, what pages show of them out.
//!
//! Each original is decoded at most once in its life: what comes of it goes to the cache as soon as it is there, so that
//! a later run, or one that was killed, has only the rest to do. Many are made at once, each on one thread, as far as
//! their pixels together fit into the room that there is.

use super::cache::{Cache, Entry, Key, Shelf};
use super::image::{self, Facts, Header, ImageProblem, Pixels, Size};
use super::media::MediaFile;
use crate::config::{ImageFormat, ImageSettings};
use crate::event::{Cancelled, Event, Observer, Phase};
use crate::room::Room;
use crate::site::{Made, Staging};
use anyhow::Context as _;
use base64::Engine as _;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};

/// Folder of the finished files in the store.
const FOLDER: &str = "assets/media";
/// Width at which a picture is shown where only one file can be named.
const USUAL_WIDTH: u32 = 640;

/// What has become of every original.
#[derive(Default)]
pub struct Pictures {
    /// In the order of the settings.
    formats: Vec<ImageFormat>,
    by_original: BTreeMap<String, Result<Picture, ImageProblem>>,
}

/// A picture in all its sizes and formats.
pub struct Picture {
    key: Key,
    /// Begins the names of its files.
    name: Box<str>,
    /// Where its bytes are, in case they have to be made again.
    original: MediaFile,
    facts: Facts,
}

/// What is kept in the cache of an original.
#[derive(Clone, Serialize, Deserialize)]
enum Outcome {
    Made(Facts),
    /// It cannot be shown, for the same reason as long as its bytes are the same.
    Broken {
        reason: String,
        detail: String,
    },
}

impl Pictures {
    /// Makes every original ready, or finds in the cache that it is. `files` holds each original once.
    ///
    /// # Errors
    /// When the run is cancelled, or what was made cannot be kept.
    pub fn make(
        files: &[MediaFile],
        settings: &ImageSettings,
        cache: &Cache,
        room: Room,
        observer: &dyn Observer,
    ) -> anyhow::Result<Self> {
        let budget = Budget::new(room.pictures);
        // One at a time, as some take a hundred times as long as others.
        let made = files.par_iter().with_max_len(1).filter_map(|file| {
            let hash = file.hash?;
            let work = Work { file, hash, settings, cache, budget: &budget, observer };
            let outcome = work.outcome().map(|outcome| (file.url_path.clone(), outcome));
            observer.observe(Event::Advanced { phase: Phase::Images, steps: 1 });
            Some(outcome)
        });
        Ok(Self { formats: settings.formats.clone(), by_original: made.collect::<anyhow::Result<_>>()? })
    }

    /// What has become of an original, by the name that [`super::media::Media`] gave it; nothing where it is not known.
    pub fn of(&self, original: &str) -> Option<Result<&Picture, &ImageProblem>> {
        self.by_original.get(original).map(Result::as_ref)
    }

    /// Whether any original cannot be shown.
    pub fn has_problems(&self) -> bool {
        self.by_original.values().any(Result::is_err)
    }

    /// The formats of all pictures, the one that browsers should take first in front.
    pub fn formats(&self) -> &[ImageFormat] {
        &self.formats
    }

    /// The format for readers that take only one: the most widely known.
    pub fn plain_format(&self) -> ImageFormat {
        self.formats.iter().copied().max().unwrap_or(ImageFormat::Jpeg)
    }

    /// Pixels of a picture as large as fits into `room`, from one of its finished files where one can be read.
    ///
    /// # Errors
    /// When there is no such picture, or its original has changed since.
    pub fn fitted(
        &self,
        original: &str,
        room: Size,
        settings: &ImageSettings,
        cache: &Cache,
    ) -> anyhow::Result<Pixels> {
        let picture = self.of(original).and_then(Result::ok).context("a picture that was not made ready")?;
        let count = self.formats.len();
        let readable = self.formats.iter().rposition(|format| *format != ImageFormat::Avif);
        let finished = readable.and_then(|format| {
            let sizes = picture.sizes();
            let size = sizes.iter().position(|size| size.width >= room.width).unwrap_or(sizes.len() - 1);
            cache.look::<Outcome>(&picture.key)?.blob(size * count + format)
        });
        let bytes = match finished {
            Some(bytes) => bytes,
            None => picture.original.bytes()?.context("a picture without contents")?,
        };
        image::fitted(bytes, room, settings).map_err(|problem| anyhow::anyhow!("a picture {problem}"))
    }

    /// Adds every finished file whose path is wanted to a new tree; those that stand there from the last run are not even read.
    ///
    /// # Errors
    /// When the disk refuses, or a file that has vanished from the cache cannot be made again.
    pub fn write(
        &self,
        settings: &ImageSettings,
        cache: &Cache,
        staging: &Staging,
        is_wanted: &(dyn Fn(&str) -> bool + Sync),
        room: Room,
        observer: &dyn Observer,
    ) -> anyhow::Result<()> {
        let budget = Budget::new(room.pictures);
        let pictures: Vec<&Picture> = self.by_original.values().filter_map(|made| made.as_ref().ok()).collect();
        pictures.par_iter().with_max_len(1).try_for_each(|picture| {
            if observer.is_cancelled() {
                return Err(Cancelled.into());
            }
            let made_from = picture.key.digest();
            let missing: Vec<(usize, String)> = picture
                .paths(&self.formats)
                .enumerate()
                .filter(|(_, path)| is_wanted(path) && !staging.keep(path, made_from))
                .collect();
            if missing.is_empty() {
                return Ok(());
            }
            let entry = cache.look::<Outcome>(&picture.key);
            let kept =
                entry.and_then(|entry| missing.iter().map(|(at, _)| entry.blob(*at)).collect::<Option<Vec<_>>>());
            let files = match kept {
                Some(files) => files,
                None => {
                    let file = &picture.original;
                    let hash = file.hash.context("a picture without contents")?;
                    let again = Work { file, hash, settings, cache, budget: &budget, observer }.made()?;
                    let mut files = again.map_err(|problem| anyhow::anyhow!("a picture {problem}"))?.files;
                    missing.iter().map(|(at, _)| std::mem::take(&mut files[*at])).collect()
                }
            };
            missing.iter().zip(files).try_for_each(|((_, path), bytes)| {
                staging.write_made(path.as_str(), &bytes, Made { from: Some(made_from), ..Made::default() })
            })
        })
    }
}

impl Picture {
    /// Path of a file in the store.
    pub fn path(&self, size: Size, format: ImageFormat) -> String {
        format!("{FOLDER}/{}-{}.{}", self.name, size.width, image::extension(format))
    }

    /// Paths of all its files, in the order in which they are kept.
    fn paths(&self, formats: &[ImageFormat]) -> impl Iterator<Item = String> {
        let pixels = self.sizes().iter().flat_map(|size| formats.iter().map(|format| self.path(*size, *format)));
        pixels.chain(self.vector().map(|(path, _)| path))
    }

    /// Path and size of the SVG that it is.
    pub fn vector(&self) -> Option<(String, Size)> {
        self.facts.vector.map(|size| (format!("{FOLDER}/{}.svg", self.name), size))
    }

    /// The sizes it has in pixels, the smallest first; never empty.
    pub fn sizes(&self) -> &[Size] {
        &self.facts.sizes
    }

    /// The largest size, which is also what shoppers see enlarged.
    pub fn largest(&self) -> Size {
        self.facts.sizes.last().copied().unwrap_or(Size { width: 1, height: 1 })
    }

    /// The size for places that can name only one.
    pub fn usual(&self) -> Size {
        self.facts.sizes.iter().copied().find(|size| size.width >= USUAL_WIDTH).unwrap_or(self.largest())
    }

    /// Its most frequent colour, as `#rrggbb`.
    pub fn color(&self) -> String {
        crate::config::Color { rgb: self.facts.color }.to_string()
    }

    /// A few pixels of it, as a `data:` URL, where it takes longer than they do.
    pub fn preview(&self) -> Option<String> {
        let pixels = Some(&self.facts.preview).filter(|preview| !preview.is_empty())?;
        Some(format!("data:image/webp;base64,{}", base64::engine::general_purpose::STANDARD.encode(pixels)))
    }
}

/// One original that is to be made ready.
struct Work<'a> {
    file: &'a MediaFile,
    hash: blake3::Hash,
    settings: &'a ImageSettings,
    cache: &'a Cache,
    budget: &'a Budget,
    observer: &'a dyn Observer,
}

impl Work<'_> {
    /// From the cache, or else made and kept there.
    fn outcome(&self) -> anyhow::Result<Result<Picture, ImageProblem>> {
        let key = key_of(self.hash, self.settings);
        let entry = match self.cache.get::<Outcome>(&key) {
            Some(entry) => entry,
            None => self.kept(&key)?,
        };
        Ok(match entry.about {
            Outcome::Made(facts) => {
                let name = key.short_name().into();
                Ok(Picture { key, name, original: self.file.clone(), facts })
            }
            Outcome::Broken { reason, detail } => Err(ImageProblem::kept(&reason, detail)),
        })
    }

    fn kept(&self, key: &Key) -> anyhow::Result<Entry<Outcome>> {
        match self.made()? {
            Ok(made) => self.cache.put(key, Outcome::Made(made.facts), &made.files),
            Err(problem) => {
                let outcome = Outcome::Broken { reason: problem.reason.to_string(), detail: problem.detail };
                self.cache.put::<_, Vec<u8>>(key, outcome, &[])
            }
        }
    }

    fn made(&self) -> anyhow::Result<Result<image::Made, ImageProblem>> {
        if self.observer.is_cancelled() {
            return Err(Cancelled.into());
        }
        let problem = "a picture has gone since the catalogue was read; run again";
        let bytes = self.file.bytes().context(problem)?.context(problem)?;
        if blake3::hash(&bytes) != self.hash {
            anyhow::bail!("a picture has changed since the catalogue was read; run again");
        }
        let header = match Header::read(&bytes) {
            Ok(header) => header,
            Err(problem) => return Ok(Err(problem)),
        };
        let _share = self.budget.take(header.memory);
        match image::make(bytes, &header, self.settings, &|| self.observer.is_cancelled()) {
            Ok(Some(made)) => Ok(Ok(made)),
            Ok(None) => Err(Cancelled.into()),
            Err(problem) => Ok(Err(problem)),
        }
    }
}

/// All that decides what comes of an original.
fn key_of(hash: blake3::Hash, settings: &ImageSettings) -> Key {
    // Spelt out: a setting that is forgotten here would have no effect on pictures that are kept already.
    let ImageSettings {
        widths,
        formats,
        jpeg_quality,
        webp_quality,
        avif_quality,
        background,
        fit,
        effort,
        social_cards: _,
    } = settings;
    let settings =
        format!("{widths:?} {formats:?} {jpeg_quality} {webp_quality} {avif_quality} {background} {fit:?} {effort:?}");
    Key::new(Shelf::Images, image::MAKER, &[hash.as_bytes(), settings.as_bytes()])
}

/// Bytes of memory that threads share.
struct Budget {
    all: u64,
    left: Mutex<u64>,
    freed: Condvar,
}

/// Part of a budget; given back when dropped.
struct Share<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Budget {
    fn new(bytes: u64) -> Self {
        Self { all: bytes, left: Mutex::new(bytes), freed: Condvar::new() }
    }

    /// Waits until there is enough left; what is more than all of it waits for all of it.
    fn take(&self, bytes: u64) -> Share<'_> {
        let bytes = bytes.min(self.all);
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.freed.wait_while(left, |left| *left < bytes);
        *waited.unwrap_or_else(PoisonError::into_inner) -= bytes;
        Share { budget: self, bytes }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.budget.left.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.budget.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::media::Media;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::SystemTime;

    struct Quiet;

    impl Observer for Quiet {
        fn observe(&self, _: Event) {}
    }

    fn photo(side: u32, seed: u8) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let pixel = |x: u32, y: u32| ::image::Rgb([(x * 3) as u8 ^ seed, (y * 2) as u8, seed]);
        ::image::RgbImage::from_fn(side, side, pixel).write_to(&mut bytes, ::image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn nothing_is_made_twice_and_what_is_broken_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.png"), photo(400, 1)).unwrap();
        let whole = photo(300, 2);
        std::fs::write(folder.path().join("b.png"), &whole[..whole.len() / 2]).unwrap();
        let media = Media::new(Some(folder.path()));
        let files = [media.resolve("a.png").unwrap(), media.resolve("b.png").unwrap()];
        let settings = ImageSettings::default();
        for (round, expected) in [(0, (0, 2)), (1, (2, 0))] {
            let cache = Cache::at(&folder.path().join("cache"), SystemTime::UNIX_EPOCH);
            let pictures = Pictures::make(&files, &settings, &cache, Room::default(), &Quiet).unwrap();
            let uses = cache.uses(Shelf::Images);
            assert_eq!((uses.hits, uses.misses), expected, "round {round}");
            let picture = pictures.of(&files[0].url_path).unwrap().unwrap();
            let widths: Vec<u32> = picture.sizes().iter().map(|size| size.width).collect();
            assert_eq!(widths, [320, 400]);
            assert_eq!(pictures.of(&files[1].url_path).unwrap().err().unwrap().reason, "media_truncated");
        }
    }

    #[test]
    fn every_setting_changes_the_key() {
        let hash = blake3::hash(b"x");
        let usual = ImageSettings::default();
        let others = [
            ImageSettings { widths: vec![100], ..usual.clone() },
            ImageSettings { formats: vec![ImageFormat::Jpeg], ..usual.clone() },
            ImageSettings { webp_quality: 1, ..usual.clone() },
            ImageSettings { background: crate::config::Color { rgb: [0; 3] }, ..usual.clone() },
            ImageSettings { effort: crate::config::ImageEffort::Best, ..usual.clone() },
        ];
        for other in others {
            assert!(key_of(hash, &usual) != key_of(hash, &other), "{other:?}");
        }
    }

    #[test]
    fn a_budget_is_never_overdrawn() {
        let budget = Budget::new(100);
        let (held, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (budget, held, most) = (&budget, &held, &most);
                scope.spawn(move || {
                    for round in 0..50 {
                        let bytes = 1 + (thread * 37 + round * 11) % 90;
                        let _share = budget.take(bytes);
                        most.fetch_max(held.fetch_add(bytes, Ordering::SeqCst) + bytes, Ordering::SeqCst);
                        held.fetch_sub(bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 100);
        drop(budget.take(1_000_000));
    }
}
