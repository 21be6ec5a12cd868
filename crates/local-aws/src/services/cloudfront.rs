//! CloudFront's invalidations, over the distributions that stacks made: asked for, looked at, completed after a minute.
//! Nothing is cached here, so that there is nothing to forget.

use crate::door::{Request, Response};
use crate::place::Place;
use crate::query::Fault;
use crate::store::Store;
use crate::world::World;
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";
const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";
/// How long edges take to hear of one.
const TAKES: SignedDuration = SignedDuration::from_secs(60);
/// Paths of one request (CloudFront quotas).
const MOST_PATHS: usize = 3000;

/// By distribution and id.
#[derive(Default)]
pub(crate) struct Invalidations(Mutex<BTreeMap<String, Vec<Invalidation>>>);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Invalidation {
    id: String,
    created: Timestamp,
    /// The caller's: asking twice with the same one is asking once.
    reference: String,
    paths: Vec<String>,
}

impl Invalidations {
    /// Where they are kept.
    pub const FILE: &str = "invalidations.json";

    /// Those that were kept.
    pub fn restore(kept: BTreeMap<String, Vec<Invalidation>>) -> Self {
        Invalidations(Mutex::new(kept))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Invalidation>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, distribution: &str, id: &str) -> Option<Invalidation> {
        self.lock().get(distribution)?.iter().find(|known| known.id == id).cloned()
    }

    /// Adds one, or finds the one with the same reference.
    fn put(&self, store: &Store, distribution: &str, new: Invalidation) -> io::Result<Result<Invalidation, Fault>> {
        let mut all = self.lock();
        let of_distribution = all.entry(distribution.to_owned()).or_default();
        if let Some(known) = of_distribution.iter().find(|known| known.reference == new.reference) {
            let same = known.paths == new.paths;
            let taken = "Your request contains a caller reference that was used for a previous request.";
            return Ok(if same { Ok(known.clone()) } else { Err(Fault::new("InvalidArgument", taken)) });
        }
        of_distribution.push(new.clone());
        store.write(Invalidations::FILE, &*all)?;
        Ok(Ok(new))
    }
}

/// Answers a request to CloudFront: `…/distribution/<id>/invalidation[/<id>]`.
pub(crate) fn answer(world: &World, place: &Place, request: &Request) -> Response {
    let path = request.uri().path().to_owned();
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let answered = match (request.method(), parts.as_slice()) {
        (&Method::POST, [_, "distribution", distribution, "invalidation"]) => {
            create(world, place, distribution, request)
        }
        (&Method::GET, [_, "distribution", distribution, "invalidation", id]) => get(world, place, distribution, id),
        (&Method::GET, [_, "distribution", distribution, "invalidation"]) => list(world, place, distribution),
        _ => Err(Fault::new(
            "InvalidAction",
            format!("{} {path} of CloudFront is not part of this local AWS.", request.method()),
        )),
    };
    answered.unwrap_or_else(|fault| fault.answer(NAMESPACE))
}

fn create(world: &World, place: &Place, distribution: &str, request: &Request) -> Result<Response, Fault> {
    known(world, place, distribution)?;
    let malformed = || Fault::new("MalformedXML", "The XML document is malformed.");
    let (reference, paths) = batch(request.body()).ok_or_else(malformed)?;
    if let Some(path) = paths.iter().find(|path| !path.starts_with('/')) {
        return Err(Fault::new(
            "InvalidArgument",
            format!("Your request contains one or more invalid invalidation paths: {path}"),
        ));
    }
    if paths.len() > MOST_PATHS {
        let message = "Your request contains more paths than one invalidation takes.";
        return Err(Fault::new("BatchTooLarge", message).with_status(413));
    }
    let new =
        Invalidation { id: format!("I{}", world.request_ids.upper(13)), created: world.clock.now(), reference, paths };
    let made = world.invalidations.put(&world.store, distribution, new).map_err(|error| {
        Fault::new("InternalError", format!("The change could not be kept: {error}")).with_status(500)
    })??;
    Ok(respond(StatusCode::CREATED, &shown(world, &made)))
}

fn get(world: &World, place: &Place, distribution: &str, id: &str) -> Result<Response, Fault> {
    known(world, place, distribution)?;
    let found = world.invalidations.get(distribution, id).ok_or_else(|| {
        Fault::new("NoSuchInvalidation", "The specified invalidation does not exist.").with_status(404)
    })?;
    Ok(respond(StatusCode::OK, &shown(world, &found)))
}

/// The newest first, all on one page.
fn list(world: &World, place: &Place, distribution: &str) -> Result<Response, Fault> {
    known(world, place, distribution)?;
    let found = world.invalidations.lock().get(distribution).cloned().unwrap_or_default();
    let items: String = found
        .iter()
        .rev()
        .map(|one| {
            let (id, created) = (&one.id, one.created);
            let status = status(world, one);
            format!(
                "<InvalidationSummary><Id>{id}</Id><CreateTime>{created}</CreateTime><Status>{status}</Status></InvalidationSummary>"
            )
        })
        .collect();
    let body = format!(
        "<InvalidationList xmlns=\"{NAMESPACE}\"><Marker/><MaxItems>100</MaxItems><IsTruncated>false</IsTruncated>\
         <Quantity>{}</Quantity><Items>{items}</Items></InvalidationList>",
        found.len()
    );
    Ok(respond(StatusCode::OK, &body))
}

/// Distributions have no region: the stack that made one may live in any.
fn known(world: &World, place: &Place, distribution: &str) -> Result<(), Fault> {
    let resources = world.resources.lock();
    let mut distributions = resources.of_account(&place.account, DISTRIBUTION);
    match distributions.any(|found| found.physical_id == distribution) {
        true => Ok(()),
        false => Err(Fault::new("NoSuchDistribution", "The specified distribution does not exist.").with_status(404)),
    }
}

fn status(world: &World, one: &Invalidation) -> &'static str {
    if world.clock.now().duration_since(one.created) < TAKES { "InProgress" } else { "Completed" }
}

fn shown(world: &World, one: &Invalidation) -> String {
    let items: String = one.paths.iter().map(|path| format!("<Path>{}</Path>", escape(path))).collect();
    format!(
        "<Invalidation xmlns=\"{NAMESPACE}\"><Id>{}</Id><Status>{}</Status><CreateTime>{}</CreateTime><InvalidationBatch>\
         <Paths><Quantity>{}</Quantity><Items>{items}</Items></Paths><CallerReference>{}</CallerReference>\
         </InvalidationBatch></Invalidation>",
        one.id,
        status(world, one),
        one.created,
        one.paths.len(),
        escape(&one.reference)
    )
}

/// The caller's reference and the paths of an InvalidationBatch.
fn batch(body: &[u8]) -> Option<(String, Vec<String>)> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let (mut inside, mut reference, mut paths) = (String::new(), None, Vec::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => inside = String::from_utf8_lossy(start.local_name().as_ref()).into_owned(),
            Event::End(_) => inside.clear(),
            Event::Text(text) => match inside.as_str() {
                "Path" => paths.push(text.unescape().ok()?.into_owned()),
                "CallerReference" => reference = Some(text.unescape().ok()?.into_owned()),
                _ => {}
            },
            Event::Eof => return reference.filter(|_| !paths.is_empty()).map(|reference| (reference, paths)),
            _ => {}
        }
    }
}

fn respond(status: StatusCode, body: &str) -> Response {
    let mut response = Response::new(Bytes::from(format!("<?xml version=\"1.0\"?>\n{body}")));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    response
}

#[cfg(test)]
mod tests {
    use super::batch;

    #[test]
    fn batches_as_clients_send_them() {
        let body = "<InvalidationBatch xmlns=\"x\"><Paths><Quantity>2</Quantity><Items><Path>/a&amp;b</Path>\n<Path>/*</Path></Items>\
                    </Paths><CallerReference>r</CallerReference></InvalidationBatch>";
        assert_eq!(batch(body.as_bytes()), Some(("r".to_owned(), vec!["/a&b".to_owned(), "/*".to_owned()])));
        assert_eq!(batch(b"<InvalidationBatch/>"), None);
        assert_eq!(batch(b"nonsense"), None);
    }
}
