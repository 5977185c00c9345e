//! Files that a database keeps: `gridfs://bucket/id` in, bytes out.
//!
//! Read one after another through the same connection as the catalogue. A file that is as it was is not sent again: what
//! tells that is its length and the moment of its upload.

use super::mongodb::Server;
use super::pushdown::id_values;
use super::{CatalogError, Collections};
use crate::event::{Cancelled, Observer};
use ::mongodb::Database;
use ::mongodb::bson::doc;
use ::mongodb::error::Error;
use ::mongodb::options::GridFsBucketOptions;
use futures_util::AsyncReadExt as _;
use tokio::time::timeout;
use url::Url;

/// Which file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoredFile {
    /// Name of the bucket; the driver's own is `fs`.
    pub bucket: String,
    /// Its id in any of its spellings.
    pub id: String,
}

impl StoredFile {
    /// Reads `gridfs://bucket/id`; `None` for anything else.
    pub fn parse(address: &str) -> Option<Self> {
        let url = Url::parse(address.trim()).ok().filter(|url| url.scheme() == "gridfs")?;
        // The host of a scheme that is not the web's keeps its case, but a part with `%` is still as it was written.
        let rest = address.trim().get("gridfs://".len()..)?;
        let (bucket, id) = rest.split_once('/')?;
        let is_sound = |text: &str| !text.is_empty() && text.len() <= 200 && !text.contains(['/', '?', '#', '$', '\0']);
        let has_user = !url.username().is_empty() || url.password().is_some();
        (is_sound(bucket) && is_sound(id) && !has_user).then(|| Self { bucket: bucket.into(), id: id.into() })
    }
}

/// What came of reading a file.
#[derive(Debug)]
pub enum StoredContents {
    /// It is as it was when it had this version.
    Same,
    /// Its bytes, and what tells later whether it has changed.
    Bytes(Vec<u8>, String),
    /// There is no such file.
    Missing,
    /// It has more bytes than are wanted.
    TooLarge,
    /// It cannot be read, and why; holds no secret.
    Broken(String),
}

impl Server {
    /// Reads files in the order given. `known` is the version that the caller has of a file.
    pub(super) fn stored_files(
        &self,
        files: &[StoredFile],
        names: &Collections,
        max_size: u64,
        observer: &dyn Observer,
        known: &dyn Fn(&StoredFile) -> Option<String>,
        take: &mut dyn FnMut(&StoredFile, StoredContents),
    ) -> Result<(), CatalogError> {
        for file in files {
            if observer.is_cancelled() {
                return Err(Cancelled.into());
            }
            let contents = self.wait(observer, async {
                let database = self.database(&names.products, observer).await?;
                let patience = self.patience().answer;
                Ok(match timeout(patience, contents(database, file, max_size, known(file))).await {
                    Ok(Ok(contents)) => contents,
                    Ok(Err(error)) => StoredContents::Broken(self.shown(&error)),
                    Err(_) => StoredContents::Broken(format!("no answer for {} s", patience.as_secs_f32())),
                })
            })?;
            take(file, contents);
        }
        Ok(())
    }
}

async fn contents(
    database: &Database,
    file: &StoredFile,
    max_size: u64,
    known: Option<String>,
) -> Result<StoredContents, Error> {
    let options = GridFsBucketOptions::builder().bucket_name(file.bucket.clone()).build();
    let bucket = database.gridfs_bucket(options);
    let Some(found) = bucket.find_one(doc! { "_id": { "$in": id_values(&file.id) } }).await? else {
        return Ok(StoredContents::Missing);
    };
    let version = format!("{} bytes of {}", found.length, found.upload_date.timestamp_millis());
    if known.as_ref() == Some(&version) {
        return Ok(StoredContents::Same);
    }
    if found.length > max_size {
        return Ok(StoredContents::TooLarge);
    }
    let stream = bucket.open_download_stream(found.id).await?;
    let mut bytes = Vec::new();
    // The length is only what the database says of itself.
    stream.take(max_size + 1).read_to_end(&mut bytes).await.map_err(Error::custom)?;
    Ok(if bytes.len() as u64 > max_size { StoredContents::TooLarge } else { StoredContents::Bytes(bytes, version) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_a_bucket_and_an_id() {
        let read = |text: &str| StoredFile::parse(text).map(|file| (file.bucket, file.id));
        let expected = Some(("Photos".to_string(), "649c5f0d1e4b2a0012345678".to_string()));
        assert_eq!(read("gridfs://Photos/649c5f0d1e4b2a0012345678"), expected);
        for text in [
            "gridfs://photos",
            "gridfs://photos/",
            "gridfs:///x",
            "gridfs://a/b/c",
            "gridfs://u@a/b",
            "https://a/b",
            "gridfs://a/b?c",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
