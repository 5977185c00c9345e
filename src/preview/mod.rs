//! A store shown while somebody works on it: served on this machine, built again and reloaded when a file changes.
//!
//! Takes a function that builds the store into a folder of its own; serves that folder as a host would and tells
//! browsers when it has changed or could not be built. Never writes a file and never serves one from elsewhere.

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
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
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
struct State {
    built: Option<Built>,
    rules: Vec<files::Rule>,
    error: Option<String>,
}

/// Where to listen.
pub struct Place {
    /// Address; anything but a loopback one is open to others.
    pub host: IpAddr,
    /// Port, and how many further ones may be tried.
    pub ports: std::ops::RangeInclusive<u16>,
}

/// Builds, serves, watches and builds again, until `is_over`.
///
/// # Errors
/// When no port is free, or the system cannot watch files.
pub fn run(
    place: &Place,
    mut build: impl FnMut() -> Attempt,
    tell: &dyn Fn(Told<'_>),
    is_over: &dyn Fn() -> bool,
) -> Result<()> {
    let listener = bind(place)?;
    let address = listener.local_addr().context("the listener has no address")?;
    let (version, versions) = watch::channel(0_u64);
    let state = Arc::new(Mutex::new(State { built: None, rules: Vec::new(), error: None }));
    let (sender, changes) = channel();
    let mut watcher = notify::recommended_watcher(move |event| _ = sender.send(event)).context("cannot watch files")?;
    let mut watched = BTreeSet::new();

    let Attempt { outcome, mut sources } = build();
    let prefix = outcome.as_ref().map_or("/".to_string(), |built| built.prefix.clone());
    if let Err(error) = &outcome {
        tell(Told::Failed(error));
    }
    take(&state, outcome);
    observe(&mut watcher, &sources, &mut watched);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.context("cannot start the server")?;
    listener.set_nonblocking(true).context("cannot listen")?;
    let shown = Arc::new(Shown { state: Arc::clone(&state), versions, host: place.host });
    runtime.spawn(accept(listener, shown));
    tell(Told::Ready(&format!("http://{address}{prefix}")));

    while !is_over() {
        if !changed(&changes, &sources) {
            continue;
        }
        let attempt = build();
        sources = attempt.sources;
        observe(&mut watcher, &sources, &mut watched);
        match &attempt.outcome {
            Ok(_) => tell(Told::Rebuilt),
            Err(error) => tell(Told::Failed(error)),
        }
        take(&state, attempt.outcome);
        version.send_modify(|version| *version += 1);
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

fn take(state: &Mutex<State>, outcome: Result<Built, String>) {
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    match outcome {
        Ok(built) => *state = State { rules: files::rules(&built), built: Some(built), error: None },
        // The store of before can still be seen.
        Err(error) => state.error = Some(error),
    }
}

/// Watches what a store is made from: folders as a whole, files by the folder they are in, for editors put new files in
/// their place.
fn observe(watcher: &mut notify::RecommendedWatcher, sources: &[PathBuf], watched: &mut BTreeSet<PathBuf>) {
    for source in sources {
        let (place, mode) = match source.is_dir() {
            true => (source.as_path(), RecursiveMode::Recursive),
            false => (source.parent().unwrap_or(source), RecursiveMode::NonRecursive),
        };
        if place.is_dir() && watched.insert(place.to_path_buf()) {
            // A folder that cannot be watched is one whose changes are seen later.
            let _ = watcher.watch(place, mode);
        }
    }
}

/// Waits a moment for changes of what the store is made from, and for the end of them.
fn changed(changes: &Receiver<notify::Result<notify::Event>>, sources: &[PathBuf]) -> bool {
    let concerns = |event: &notify::Result<notify::Event>| {
        event.as_ref().is_ok_and(|event| {
            !event.kind.is_access()
                && event.paths.iter().any(|path| sources.iter().any(|source| path.starts_with(source)))
        })
    };
    match changes.recv_timeout(PATIENCE) {
        Ok(event) if concerns(&event) => {}
        _ => return false,
    }
    loop {
        match changes.recv_timeout(TOGETHER) {
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return true,
        }
    }
}

/// What connections share.
struct Shown {
    state: Arc<Mutex<State>>,
    versions: watch::Receiver<u64>,
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
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
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
            Some("events") => return events(self.versions.clone()),
            Some("reload.js") => return script(SCRIPT.to_string()),
            Some("error") => return plain(StatusCode::OK, state.error.as_deref().unwrap_or_default()),
            Some(_) => return plain(StatusCode::NOT_FOUND, "there is nothing here"),
            None => {}
        }
        let Some(built) = &state.built else {
            let page = format!(
                "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Preview</title>{}</head><body></body></html>",
                files::loader(prefix)
            );
            let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE, &page);
            answer.headers_mut().insert(CONTENT_TYPE, files::HTML);
            return answer;
        };
        let accepts_gzip = files::accepts_gzip(request.headers());
        let Answer { status, headers, bytes } = files::find(built, &state.rules, below, accepts_gzip);
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

fn script(text: String) -> Response<Body> {
    let mut answer = plain(StatusCode::OK, &text);
    answer.headers_mut().insert(CONTENT_TYPE, files::SCRIPT);
    answer
}

/// A stream with one event for the state of now and one for each change.
fn events(versions: watch::Receiver<u64>) -> Response<Body> {
    let stream = futures_util::stream::unfold((versions, true), |(mut versions, is_first)| async move {
        if !is_first {
            versions.changed().await.ok()?;
        }
        let version = *versions.borrow_and_update();
        let event = Frame::data(Bytes::from(format!("data: {version}\n\n")));
        Some((Ok::<_, Infallible>(event), (versions, false)))
    });
    let mut answer = Response::new(StreamBody::new(stream).boxed());
    answer.headers_mut().insert(CONTENT_TYPE, files::EVENTS);
    answer.headers_mut().insert(CACHE_CONTROL, files::NO_STORE);
    answer
}
