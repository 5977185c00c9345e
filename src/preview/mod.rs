//! A store shown while somebody works on it: served on this machine, built again and reloaded when a file changes.
//!
//! Takes a function that builds the store into a folder of its own; serves that folder as a host would and tells
//! browsers when it has changed or could not be built. Every page carries the number of the build that it is of, so that
//! it learns of a later one whenever it begins to listen. Never writes a file and never serves one from elsewhere.

mod files;

use anyhow::{Context as _, Result};
use files::Answer;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use notify::{RecursiveMode, Watcher as _};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use tokio::sync::watch;

/// Changes within this time of each other are one: editors write a file in several steps.
const TOGETHER: Duration = Duration::from_millis(25);
/// How often it is looked whether the preview has been asked to end.
const PATIENCE: Duration = Duration::from_millis(200);
/// Where the preview's own answers are, below the store's path.
const OWN: &str = ".preview/";
const SCRIPT: &str = include_str!("reload.js");

/// A store that has been built.
#[derive(Clone, Debug)]
pub struct Built {
    /// Folder of the finished store.
    pub folder: PathBuf,
    /// Path of the store's root, beginning and ending in `/`.
    pub prefix: String,
}

/// What a build came to.
pub struct Attempt {
    /// The store, or why there is none, in words for a person.
    pub outcome: Result<Built, String>,
    /// Files and folders that it was made from, whose changes call for another one.
    pub sources: Vec<PathBuf>,
    /// Folders among them that are written to meanwhile, such as those of stores; what happens there is no change.
    pub written: Vec<PathBuf>,
}

/// Calls for another build when something has changed that is no file.
#[derive(Clone)]
pub struct Bell(Sender<Change>);

impl Bell {
    /// Has the store built again.
    pub fn ring(&self) {
        // A preview that has ended builds nothing more.
        let _ = self.0.send(Change::Elsewhere);
    }
}

/// Something that may call for another build.
enum Change {
    File(notify::Result<notify::Event>),
    Elsewhere,
}

/// What happens, for whoever tells it.
pub enum Told<'t> {
    /// The store can be seen here.
    Ready(&'t str),
    /// It was built again.
    Rebuilt,
    /// It could not be built.
    Failed(&'t str),
}

/// What requests are answered from.
#[derive(Default)]
struct State {
    /// Number of the build; a page of another number is out of date.
    build: u64,
    built: Option<Built>,
    rules: Arc<[files::Rule]>,
    /// Why the last attempt came to nothing; what was built before is still there.
    error: Option<String>,
}

impl State {
    /// What there is after another attempt.
    fn after(&self, outcome: Result<Built, String>) -> Self {
        let build = self.build + 1;
        match outcome {
            Ok(built) => Self { build, rules: files::rules(&built).into(), built: Some(built), error: None },
            // The store of before can still be seen.
            Err(error) => Self { build, rules: Arc::clone(&self.rules), built: self.built.clone(), error: Some(error) },
        }
    }
}

/// Where to listen.
pub struct Place {
    /// Address; anything but a loopback one is open to others.
    pub host: IpAddr,
    /// Port, and how many further ones may be tried.
    pub ports: std::ops::RangeInclusive<u16>,
}

/// Builds, serves, watches and builds again, until `is_over`. `build` is given what calls for another build, for whoever
/// hears of changes that are no files.
///
/// # Errors
/// When no port is free, or the system cannot watch files.
pub fn run(
    place: &Place,
    mut build: impl FnMut(&Bell) -> Attempt,
    tell: &dyn Fn(Told<'_>),
    is_over: &dyn Fn() -> bool,
) -> Result<()> {
    let listener = bind(place)?;
    let address = listener.local_addr().context("the listener has no address")?;
    let (sender, changes) = channel();
    let bell = Bell(sender.clone());
    let watcher = notify::recommended_watcher(move |event| _ = sender.send(Change::File(event)));
    let mut watched = Watched { watcher: watcher.context("cannot watch files")?, places: BTreeSet::new() };

    let mut attempt = build(&bell);
    watched.observe(&attempt);
    let prefix = attempt.outcome.as_ref().map_or("/".to_string(), |built| built.prefix.clone());
    if let Err(error) = &attempt.outcome {
        tell(Told::Failed(error));
    }
    let (state, states) = watch::channel(Arc::new(State::default().after(attempt.outcome.clone())));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start the server")?;
    listener.set_nonblocking(true).context("cannot listen")?;
    runtime.spawn(accept(listener, Arc::new(Shown { states, host: place.host })));
    tell(Told::Ready(&format!("http://{address}{prefix}")));

    while !is_over() {
        if !changed(&changes, &attempt) {
            continue;
        }
        attempt = build(&bell);
        watched.observe(&attempt);
        match &attempt.outcome {
            Ok(_) => tell(Told::Rebuilt),
            Err(error) => tell(Told::Failed(error)),
        }
        state.send_modify(|state| *state = Arc::new(state.after(attempt.outcome.clone())));
    }
    runtime.shutdown_background();
    Ok(())
}

fn bind(place: &Place) -> Result<TcpListener> {
    let mut last = None;
    for port in place.ports.clone() {
        match TcpListener::bind(SocketAddr::new(place.host, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = Some(error),
        }
    }
    let error = last.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into());
    Err(error).with_context(|| format!("cannot listen at {}:{}; try another `--port`", place.host, place.ports.start()))
}

/// Places that the system tells changes of.
struct Watched {
    watcher: notify::RecommendedWatcher,
    places: BTreeSet<PathBuf>,
}

impl Watched {
    /// Watches what a store is made from: folders as a whole, files by the folder they are in, for editors put new files
    /// in their place.
    fn observe(&mut self, attempt: &Attempt) {
        // A folder that was removed is watched no more by the system, even when it comes back.
        self.places.retain(|place| place.is_dir());
        for source in &attempt.sources {
            let is_whole = source.is_dir() && !attempt.written.iter().any(|written| written.starts_with(source));
            let (place, mode) = match is_whole {
                true => (source.as_path(), RecursiveMode::Recursive),
                false if source.is_dir() => (source.as_path(), RecursiveMode::NonRecursive),
                false => (source.parent().unwrap_or(source), RecursiveMode::NonRecursive),
            };
            if place.is_dir() && !self.places.contains(place) {
                // A folder that cannot be watched is one whose changes are seen later.
                let _ = self.watcher.watch(place, mode);
                self.places.insert(place.to_path_buf());
            }
        }
    }
}

/// Waits a moment for changes of what the store is made from, and for the end of them.
fn changed(changes: &Receiver<Change>, attempt: &Attempt) -> bool {
    match changes.recv_timeout(PATIENCE) {
        Ok(change) if attempt.concerns(&change) => {}
        _ => return false,
    }
    loop {
        match changes.recv_timeout(TOGETHER) {
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return true,
        }
    }
}

impl Attempt {
    fn concerns(&self, change: &Change) -> bool {
        // Hidden files are those of editors.
        let is_hidden = |path: &Path| path.iter().any(|part| part.to_string_lossy().starts_with('.'));
        let is_source = |path: &PathBuf| {
            !self.written.iter().any(|written| path.starts_with(written))
                && self.sources.iter().any(|source| path.strip_prefix(source).is_ok_and(|below| !is_hidden(below)))
        };
        match change {
            Change::Elsewhere => true,
            Change::File(Ok(event)) => !event.kind.is_access() && event.paths.iter().any(is_source),
            Change::File(Err(_)) => false,
        }
    }
}

/// What connections share.
struct Shown {
    states: watch::Receiver<Arc<State>>,
    host: IpAddr,
}

type Body = BoxBody<Bytes, Infallible>;

async fn accept(listener: TcpListener, shown: Arc<Shown>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shown = Arc::clone(&shown);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let shown = Arc::clone(&shown);
                async move { Ok::<_, Infallible>(shown.answer(&request)) }
            });
            // A browser that goes away is no failure.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Shown {
    fn answer(&self, request: &Request<Incoming>) -> Response<Body> {
        if !self.is_own_host(request) {
            return plain(StatusCode::MISDIRECTED_REQUEST, "this address is not the preview's");
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "a store is only read");
        }
        // Files that are read after this are of this build or a later one, never of an earlier one.
        let state = Arc::clone(&self.states.borrow());
        let path = request.uri().path();
        let prefix = state.built.as_ref().map_or("/", |built| built.prefix.as_str());
        let Some(below) = path.strip_prefix(prefix) else {
            let mut answer = plain(StatusCode::FOUND, "the store is elsewhere");
            if let Ok(target) = prefix.parse() {
                answer.headers_mut().insert(LOCATION, target);
            }
            return answer;
        };
        match below.strip_prefix(OWN) {
            Some("events") => return events(self.states.clone()),
            Some("reload.js") => return script(),
            Some(_) => return plain(StatusCode::NOT_FOUND, "there is nothing here"),
            None => {}
        }
        let Some(built) = &state.built else {
            let page = format!(
                "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Preview</title>{}</head><body></body></html>",
                files::loader(prefix, state.build)
            );
            let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE, &page);
            answer.headers_mut().insert(CONTENT_TYPE, files::HTML);
            return answer;
        };
        let accepts_gzip = files::accepts_gzip(request.headers());
        let Answer { status, headers, bytes } = files::find(built, &state.rules, below, accepts_gzip, state.build);
        let bytes = if request.method() == Method::HEAD { Vec::new() } else { bytes };
        let mut answer = Response::new(Full::new(Bytes::from(bytes)).boxed());
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        answer
    }

    /// Names of other hosts that lead here are a trick to read what is shown on this machine only.
    fn is_own_host(&self, request: &Request<Incoming>) -> bool {
        if !self.host.is_loopback() {
            return true;
        }
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Body> {
    let mut answer = Response::new(Full::new(Bytes::from(text.to_string())).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, files::TEXT);
    answer.headers_mut().insert(CACHE_CONTROL, files::NO_STORE);
    answer
}

fn script() -> Response<Body> {
    let mut answer = plain(StatusCode::OK, SCRIPT);
    answer.headers_mut().insert(CONTENT_TYPE, files::SCRIPT);
    answer
}

/// A stream with one event for the state of now and one for each change.
fn events(states: watch::Receiver<Arc<State>>) -> Response<Body> {
    let stream = futures_util::stream::unfold((states, true), |(mut states, is_first)| async move {
        if !is_first {
            states.changed().await.ok()?;
        }
        let state = Arc::clone(&states.borrow_and_update());
        let told = serde_json::json!({ "build": state.build, "error": state.error });
        let event = Frame::data(Bytes::from(format!("data: {told}\n\n")));
        Some((Ok::<_, Infallible>(event), (states, false)))
    });
    let mut answer = Response::new(StreamBody::new(stream).boxed());
    answer.headers_mut().insert(CONTENT_TYPE, files::EVENTS);
    answer.headers_mut().insert(CACHE_CONTROL, files::NO_STORE);
    answer
}
