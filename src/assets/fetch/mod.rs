//! Pictures on other servers: URLs in, bytes in the cache out, or why not.
//!
//! Nothing is asked for twice while it is fresh, and nothing is sent again that has not changed: what the server said is
//! kept as a fact by URL, the bytes by their hash. A server that fails is asked again a few times and then left alone;
//! where there is a copy of before, that is used. Bytes are not looked into here: what is no picture is found out by who
//! decodes it.

mod address;
mod client;

use super::cache::{Cache, Entry, Key, Shelf};
use super::media::MediaProblem;
use crate::config::DownloadSettings;
use crate::event::{Cancelled, Event, Observer};
use crate::reliability::{Breakers, Dependency, Service, Tries};
use crate::room::Room;
use anyhow::Context as _;
use client::{Answer, Requests, Trouble, Validators};
use futures_util::future::{Either, select};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};
use url::Url;

/// Servers that are asked at once.
const MOST_SERVERS: usize = 8;
/// Longest that a server's word about freshness is believed.
const LONGEST_FRESH: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often it is looked whether the run was cancelled.
const GLANCE: Duration = Duration::from_millis(20);

/// A picture that is in the cache.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// BLAKE3 of its bytes.
    pub hash: [u8; 32],
    entry: Entry<()>,
}

impl PartialEq for Fetched {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for Fetched {}

impl Fetched {
    /// Its bytes; `None` when they have been removed from the cache since, or damaged.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        self.entry.blob(0)
    }

    /// Keeps bytes that have come from somewhere.
    ///
    /// # Errors
    /// When the cache cannot be written to.
    pub fn keep(bytes: &[u8], cache: &Cache) -> anyhow::Result<Self> {
        let hash = *blake3::hash(bytes).as_bytes();
        let key = body_key(&hash);
        let entry = match cache.look(&key) {
            Some(entry) => entry,
            None => cache.put(&key, (), &[bytes])?,
        };
        Ok(Self { hash, entry })
    }

    /// The bytes with a hash, if they are still there.
    pub fn kept(hash: [u8; 32], cache: &Cache) -> Option<Self> {
        Some(Self { hash, entry: cache.look(&body_key(&hash))? })
    }
}

fn body_key(hash: &[u8; 32]) -> Key {
    Key::new(Shelf::Downloads, "body 1", &[hash])
}

/// What is known of a URL.
#[derive(Serialize, Deserialize)]
struct Known {
    hash: [u8; 32],
    validators: Validators,
    /// Milliseconds since 1970-01-01.
    asked_at: u64,
}

/// What came of fetching, besides the pictures.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The run was asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The cache cannot be written to, or there is no network at all to begin with.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

/// Fetches pictures, several servers and several pictures of each at once, and hands each to `done` as it comes, from one
/// thread, in no certain order. A picture that cannot be had is handed over with the reason. The result says whether any
/// server answered at all, or nothing had to be asked for.
///
/// # Errors
/// See [`FetchError`].
pub fn fetch_all(
    urls: &BTreeSet<Url>,
    settings: &DownloadSettings,
    cache: &Cache,
    breakers: &Breakers<'_>,
    room: Room,
    observer: &dyn Observer,
    done: &(dyn Fn(&Url, Result<Fetched, MediaProblem>) + Sync),
) -> Result<bool, FetchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start fetching pictures")?;
    let requests = Requests::new(settings, room).context("cannot start fetching pictures")?;
    let (outdated, answers) = (AtomicU64::new(0), AtomicU64::new(0));
    let fetching = Fetching { requests, settings, cache, breakers, outdated, answers };
    let mut servers: BTreeMap<String, Vec<&Url>> = BTreeMap::new();
    for url in urls {
        servers.entry(url.origin().ascii_serialization()).or_default().push(url);
    }
    let outcome = runtime.block_on(async {
        let cancelled = pin!(async {
            while !observer.is_cancelled() {
                tokio::time::sleep(GLANCE).await;
            }
        });
        let all = stream::iter(servers.values())
            .map(|urls| fetching.server(urls, done))
            .buffer_unordered(MOST_SERVERS)
            .fold(Ok(()), |first: anyhow::Result<()>, next| async { first.and(next) });
        match select(pin!(all), cancelled).await {
            Either::Left((outcome, _)) => outcome.map_err(FetchError::Failed),
            Either::Right(_) => Err(Cancelled.into()),
        }
    });
    // Looking up a name cannot be interrupted; nobody waits for it.
    runtime.shutdown_background();
    let outdated = fetching.outdated.into_inner();
    if outdated > 0 {
        let what = if outdated == 1 { "1 picture is".into() } else { format!("{outdated} pictures are") };
        observer.observe(Event::Note(format!("{what} as they were fetched before, for their server does not answer")));
    }
    outcome.map(|()| fetching.answers.into_inner() > 0)
}

struct Fetching<'a> {
    requests: Requests,
    settings: &'a DownloadSettings,
    cache: &'a Cache,
    breakers: &'a Breakers<'a>,
    /// Pictures that are used although it is not known whether they are still the same.
    outdated: AtomicU64,
    /// Pictures that a server, or the cache in its place, had an answer for.
    answers: AtomicU64,
}

impl Fetching<'_> {
    /// Fetches all pictures of one server; fails only where the cache does.
    async fn server(
        &self,
        urls: &[&Url],
        done: &(dyn Fn(&Url, Result<Fetched, MediaProblem>) + Sync),
    ) -> anyhow::Result<()> {
        let Some(first) = urls.first() else { return Ok(()) };
        let port = first.port().map(|port| format!(":{port}")).unwrap_or_default();
        let server = Dependency::new(Service::Assets, &format!("{}{port}", first.host_str().unwrap_or_default()));
        // A server that was left alone is tried with one picture; the others follow when that goes well.
        let mut rest = urls;
        while let Some((url, others)) = rest.split_first()
            && !self.breakers.is_closed(&server)
        {
            self.one(url, &server, done).await?;
            rest = others;
        }
        stream::iter(rest)
            .map(|url| self.one(url, &server, done))
            .buffer_unordered(self.settings.per_host)
            .fold(Ok(()), |first: anyhow::Result<()>, next| async { first.and(next) })
            .await
    }

    /// Fetches one picture and hands it over.
    async fn one(
        &self,
        url: &Url,
        server: &Dependency,
        done: &(dyn Fn(&Url, Result<Fetched, MediaProblem>) + Sync),
    ) -> anyhow::Result<()> {
        let outcome = self.picture(url, server).await?;
        done(url, outcome.map_err(|trouble| problem(url, &trouble)));
        Ok(())
    }

    /// The outer error is the cache's, the inner one the picture's.
    async fn picture(&self, url: &Url, server: &Dependency) -> anyhow::Result<Result<Fetched, Trouble>> {
        let key = Key::new(Shelf::Facts, "url 1", &[url.as_str().as_bytes()]);
        let known = self.cache.look::<Known>(&key).map(|entry| entry.about);
        let known = known.and_then(|known| Some((Fetched::kept(known.hash, self.cache)?, known)));
        if let Some((kept, known)) = &known
            && self.is_fresh(known)
        {
            self.answers.fetch_add(1, Ordering::Relaxed);
            self.cache.count(Shelf::Downloads, true);
            return Ok(Ok(kept.clone()));
        }
        let validators = known.as_ref().map(|(_, known)| &known.validators);
        let answer = match self.breakers.enter(server) {
            Ok(pass) => {
                let answer = self.ask_patiently(url, validators).await;
                match &answer {
                    // What the trouble says may hold the address of the picture, and that a signature.
                    Err(Trouble::TooSlow) => pass.failed("a picture takes longer than allowed"),
                    Err(trouble) if trouble.is_of_server() => pass.failed("a picture cannot be reached"),
                    Err(trouble) if !trouble.is_answer() => drop(pass),
                    _ => {
                        pass.succeeded();
                        self.answers.fetch_add(1, Ordering::Relaxed);
                    }
                }
                answer
            }
            Err(unavailable) => Err(Trouble::Unreachable(unavailable.to_string())),
        };
        let (fetched, validators) = match (answer, known) {
            (Ok(Answer::Same(mut validators)), Some((kept, known))) => {
                self.cache.count(Shelf::Downloads, true);
                validators.or_of(known.validators);
                (kept, validators)
            }
            (Ok(Answer::Body(bytes, validators)), _) => {
                self.cache.count(Shelf::Downloads, false);
                (Fetched::keep(&bytes, self.cache)?, validators)
            }
            (Err(trouble), Some((kept, _))) if trouble.is_passing() => {
                self.cache.count(Shelf::Downloads, true);
                self.outdated.fetch_add(1, Ordering::Relaxed);
                return Ok(Ok(kept));
            }
            (Err(trouble), _) => return Ok(Err(trouble)),
            // Nobody asked whether something is as before.
            (Ok(Answer::Same(_)), None) => return Ok(Err(Trouble::Empty)),
        };
        let asked_at = milliseconds(self.cache.now());
        self.cache.put::<_, &[u8]>(&key, Known { hash: fetched.hash, validators, asked_at }, &[])?;
        Ok(Ok(fetched))
    }

    fn is_fresh(&self, known: &Known) -> bool {
        let word = Duration::from_secs(known.validators.max_age).min(LONGEST_FRESH);
        let age = milliseconds(self.cache.now()).checked_sub(known.asked_at);
        age.is_some_and(|age| Duration::from_millis(age) < word.max(self.settings.recheck_after))
    }

    async fn ask_patiently(&self, url: &Url, known: Option<&Validators>) -> Result<Answer, Trouble> {
        let mut tries = Tries::new(&self.settings.retry);
        loop {
            let trouble = match self.requests.ask(url, known).await {
                Err(trouble) if trouble.is_passing() => trouble,
                outcome => return outcome,
            };
            let wish = match &trouble {
                Trouble::Status { retry_after, .. } => *retry_after,
                _ => None,
            };
            match tries.pause(Instant::now(), wish) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(trouble),
            }
        }
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// The trouble with a picture, for the report.
fn problem(url: &Url, trouble: &Trouble) -> MediaProblem {
    let (reason, advice) = match trouble {
        Trouble::Refused(_) | Trouble::Private => ("media_refused_address", ""),
        Trouble::Redirects => ("media_unreachable", "; use the address that it leads to"),
        Trouble::Status { status: 401 | 403, .. } => ("media_not_found", "; allow everybody to see it"),
        Trouble::Status { status: 404 | 410, .. } => ("media_not_found", "; correct or remove it"),
        Trouble::Status { .. } => ("media_unreachable", "; see what its server says about it"),
        Trouble::TooLarge => ("media_too_large", ""),
        Trouble::Empty => ("media_not_an_image", "; replace it"),
        Trouble::TooSlow => ("media_unreachable", ""),
        Trouble::Unreachable(_) => ("media_unreachable", "; the next run tries again"),
    };
    let shown = super::media::shown_address(url.as_str());
    MediaProblem { reason, detail: format!("the picture `{shown}` {trouble}{advice}") }
}
