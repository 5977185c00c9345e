//! How a run reaches its catalogue: past the breaker of its server, with a copy kept for bad times, or from that copy.
//!
//! In: a way to read. Out: what was read, from the server or from the newest copy; a run from a copy says so, in an event
//! and in its report. A job that is run again begins with the copy that it had taken before it failed.

use super::{GenerateOptions, RunError};
use crate::catalog::{Copies, Copy, CopyWriter};
use crate::config::{CatalogSettings, CatalogUri, StoreConfiguration};
use crate::event::{Event, Finding, Observer, Outcome};
use crate::reliability::{Breakers, Dependency, Service};

/// Reads the catalogue, or its copy where that is allowed and the server cannot be reached.
pub(super) fn reach<T>(
    config: &StoreConfiguration,
    options: &GenerateOptions,
    breakers: &Breakers<'_>,
    observer: &dyn Observer,
    read: impl Fn(&StoreConfiguration, Option<&CopyWriter>) -> Result<T, RunError>,
) -> Result<T, RunError> {
    let Some(copies) = options.copies_dir.as_deref().map(Copies::at) else {
        return guarded(config, breakers, || read(config, None));
    };
    if let Some(job_id) = &options.resumes
        && let Some(copy) = copies.of(config, job_id)
    {
        return read_copy(
            copy,
            &format!("{job_id} had read the catalogue, which is not read again"),
            config,
            observer,
            read,
        );
    }
    let writer = copies.begin(config, &options.work_dir)?;
    let error = match guarded(config, breakers, || read(config, writer.as_ref())) {
        Ok(result) => {
            let kept = writer.map_or(Ok(()), |writer| writer.finish(&options.job_id, options.now.into()));
            if let Err(error) = kept {
                observer.observe(Event::Note(format!("{error:#}")));
            }
            return Ok(result);
        }
        Err(error) => error,
    };
    let is_out_of_reach = matches!(error, RunError::SourceUnavailable(_) | RunError::LeftAlone(_));
    let Some(copy) = copies.newest(config).filter(|_| is_out_of_reach) else { return Err(error) };
    read_copy(copy, &error.to_string(), config, observer, read)
}

fn read_copy<T>(
    copy: Copy,
    why: &str,
    config: &StoreConfiguration,
    observer: &dyn Observer,
    read: impl Fn(&StoreConfiguration, Option<&CopyWriter>) -> Result<T, RunError>,
) -> Result<T, RunError> {
    observer.observe(Event::Offline { taken_at: copy.taken_at, why: why.to_string() });
    let catalog = CatalogSettings { uri: CatalogUri::Path(copy.folder), ..config.catalog.clone() };
    let read = read(&StoreConfiguration { catalog, ..config.clone() }, None)?;
    // Reading may begin anew, and what was found before is forgotten then.
    observer.observe(Event::Found(Finding {
        outcome: Outcome::Repaired,
        reason: "offline_copy".into(),
        collection: "catalog".into(),
        document: "all documents".into(),
        field: String::new(),
        detail: format!("read from the copy of {}: {why}", copy.taken_at),
    }));
    Ok(read)
}

/// Reads a server only where its breaker lets it, and tells the breaker how that went.
fn guarded<T>(
    config: &StoreConfiguration,
    breakers: &Breakers<'_>,
    read: impl FnOnce() -> Result<T, RunError>,
) -> Result<T, RunError> {
    let Some(hosts) = config.catalog.uri.hosts() else { return read() };
    let pass = breakers.enter(&Dependency::new(Service::MongoDb, hosts))?;
    let result = read();
    match &result {
        Ok(_) => pass.succeeded(),
        Err(RunError::SourceUnavailable(error)) => pass.failed(&format!("{error:#}")),
        Err(_) => drop(pass),
    }
    result
}
