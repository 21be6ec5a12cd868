//! Pushing and copying images, with a registry that breaks in every way a registry can: the image is there, byte by byte,
//! or the error says what is wrong; never half an image.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use crate::support::registry::{Fault, Registry};
use crate::support::shown;
use infra::aws::{AccessKey, Aws, Connect, Http};
use infra::image::Digest;
use infra::image::copy::copy;
use infra::image::push::{Destination, Progress, Pushed, Source, Tell, push, silent};
use infra::image::registry::{Credentials, Registry as Client};
use infra::model::Target;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

const HOST: &str = "111122223333.dkr.ecr.us-east-1.amazonaws.com";
const MIB: usize = 1024 * 1024;

/// An OCI layout made by hand.
pub struct Layout {
    folder: TempDir,
}

impl Layout {
    pub fn new() -> Layout {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir_all(folder.path().join("blobs/sha256")).unwrap();
        Layout { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    fn source(&self) -> Source {
        Source::Layout(self.path().to_owned())
    }

    fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        std::fs::write(self.path().join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        digest
    }

    fn descriptor(&self, media_type: &str, bytes: &[u8]) -> Value {
        json!({"mediaType": media_type, "digest": self.blob(bytes), "size": bytes.len()})
    }

    /// An image of these layers.
    pub fn image(&self, layers: &[Vec<u8>]) -> Digest {
        let config = json!({"layers": layers.iter().map(Digest::of).collect::<Vec<_>>()}).to_string();
        let layer = "application/vnd.oci.image.layer.v1.tar";
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.descriptor("application/vnd.oci.image.config.v1+json", config.as_bytes()),
            "layers": layers.iter().map(|bytes| self.descriptor(layer, bytes)).collect::<Vec<_>>(),
        });
        self.blob(manifest.to_string().as_bytes())
    }

    /// Says that this image is the layout's, so that the command finds it.
    pub fn name(&self, image: &Digest) {
        self.name_as(image, "application/vnd.oci.image.manifest.v1+json");
    }

    /// The same for an image of several platforms.
    pub fn name_index(&self, index: &Digest) {
        self.name_as(index, "application/vnd.oci.image.index.v1+json");
    }

    fn name_as(&self, image: &Digest, media_type: &str) {
        let bytes = std::fs::read(self.path().join("blobs/sha256").join(image.hex())).unwrap();
        let descriptor = self.descriptor(media_type, &bytes);
        let index = json!({"schemaVersion": 2, "manifests": [descriptor]});
        std::fs::write(self.path().join("index.json"), index.to_string()).unwrap();
        std::fs::write(self.path().join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
    }

    pub fn index(&self, images: &[Digest]) -> Digest {
        let one = |digest: &Digest| {
            let bytes = std::fs::read(self.path().join("blobs/sha256").join(digest.hex())).unwrap();
            self.descriptor("application/vnd.oci.image.manifest.v1+json", &bytes)
        };
        // An index that does not say its media type, as buildah writes it.
        let index = json!({"schemaVersion": 2, "manifests": images.iter().map(one).collect::<Vec<_>>()});
        self.blob(index.to_string().as_bytes())
    }
}

pub fn layer(seed: u64, bytes: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    std::iter::repeat_with(|| random.u8(..)).take(bytes).collect()
}

fn to(registry: &Registry) -> Destination {
    let client = Client::new(Http::new(registry.client()), HOST, Credentials::Anonymous);
    Destination {
        repository: client.repository("shop/api"),
        tags: Vec::new(),
        immutable_tags: false,
        mount_from: Vec::new(),
    }
}

/// The same for a registry of ECR's, which wants a token.
async fn with_tokens(registry: &Registry) -> Destination {
    let aws = Aws::connect(Connect {
        region: "us-east-1".to_owned(),
        credentials: Some(AccessKey { id: "111122223333".to_owned(), secret: "test".to_owned() }),
        http_client: Some(registry.client()),
        ..Connect::default()
    })
    .await;
    let target = Target { account: "111122223333".to_owned(), region: "us-east-1".to_owned(), role: None };
    let client = Client::new(aws.http(), HOST, Credentials::Ecr(aws.ecr(&target)));
    registry.demand_tokens();
    Destination { repository: client.repository("shop/api"), ..to(registry) }
}

#[track_caller]
fn assert_there(registry: &Registry, image: &Digest, layers: &[Vec<u8>]) {
    assert!(registry.manifest("shop/api", image).is_some(), "the image is there");
    for bytes in layers {
        assert!(
            registry.blob("shop/api", &Digest::of(bytes)).as_ref() == Some(bytes),
            "a layer is there, byte by byte"
        );
    }
}

/// One image of a few layers; its registry; what came of pushing it under a rule.
struct Case {
    layout: Layout,
    layers: Vec<Vec<u8>>,
    image: Digest,
    registry: Registry,
}

impl Case {
    fn new() -> Case {
        Case::of(vec![layer(1, MIB), layer(2, 100_000), layer(3, 2)])
    }

    fn of(layers: Vec<Vec<u8>>) -> Case {
        let layout = Layout::new();
        let image = layout.image(&layers);
        Case { layout, layers, image, registry: Registry::new() }
    }

    async fn push(&self) -> Result<Pushed, infra::error::Error> {
        push(&self.layout.source(), &self.image, &to(&self.registry), &silent()).await
    }

    /// It ends well whatever the rule breaks.
    #[track_caller]
    fn assert_there(&self) {
        assert_there(&self.registry, &self.image, &self.layers);
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_is_pushed_once() {
    let layout = Layout::new();
    let layers: Vec<Vec<u8>> = (0..12).map(|seed| layer(seed, 300_000)).collect();
    let image = layout.image(&layers);
    let registry = Registry::new();
    let to = Destination { tags: vec!["4f2a9c1".into(), "context-1".into()], ..to(&registry) };
    let pushed = push(&layout.source(), &image, &to, &silent()).await.unwrap();
    assert_eq!((pushed.uploaded_blobs, pushed.already_there, pushed.tags.len()), (13, false, 2));
    assert_there(&registry, &image, &layers);
    assert_eq!(registry.tag("shop/api", "4f2a9c1"), Some(image.to_string()));
    assert!((2..=4).contains(&registry.most_in_flight()), "{} at once", registry.most_in_flight());

    registry.forget_seen();
    let again = push(&layout.source(), &image, &to, &silent()).await.unwrap();
    assert!(again.already_there && again.tags.is_empty(), "{again:?}");
    let methods: Vec<String> = registry.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["HEAD", "HEAD", "HEAD"], "two tags and the image are looked at, nothing else");
}

#[tokio::test(start_paused = true)]
async fn layers_that_are_there_stay_and_those_of_a_neighbour_are_mounted() {
    let registry = Registry::new();
    let layout = Layout::new();
    let (base, first, second) = (layer(1, MIB), layer(2, 1000), layer(3, 1000));
    let one = layout.image(&[base.clone(), first]);
    push(&layout.source(), &one, &to(&registry), &silent()).await.unwrap();
    let two = layout.image(&[base.clone(), second.clone()]);
    let pushed = push(&layout.source(), &two, &to(&registry), &silent()).await.unwrap();
    assert_eq!((pushed.present_blobs, pushed.uploaded_blobs), (1, 2));

    registry.forget_seen();
    let mut neighbour = to(&registry);
    neighbour.repository = neighbour.repository.registry.repository("shop/other");
    neighbour.mount_from = vec!["shop/none".into(), "shop/api".into()];
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell: Tell = Arc::new({
        let told = told.clone();
        move |progress| told.lock().unwrap().push(progress)
    });
    let third = layer(4, 5000);
    let three = layout.image(&[base.clone(), third.clone()]);
    let pushed = push(&layout.source(), &three, &neighbour, &tell).await.unwrap();
    assert_eq!((pushed.mounted_blobs, pushed.uploaded_blobs), (1, 2));
    assert!(registry.uploaded_bytes() < 6000, "{} bytes moved", registry.uploaded_bytes());
    assert_eq!(registry.blob("shop/other", &Digest::of(&base)), Some(base.clone()));
    let told = told.lock().unwrap();
    let mounted = Progress::Mounted { digest: Digest::of(&base), from: "shop/api".into(), bytes: MIB as u64 };
    assert!(told.contains(&mounted), "{told:?}");
    assert!(told.contains(&Progress::Sent { digest: Digest::of(&third), bytes: 5000, of_bytes: 5000 }), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn children_come_before_their_index() {
    let registry = Registry::new();
    let layout = Layout::new();
    let (shared, amd64, arm64) = (layer(1, 50_000), layer(2, 1000), layer(3, 2000));
    let images = [layout.image(&[shared.clone(), amd64.clone()]), layout.image(&[shared.clone(), arm64.clone()])];
    let index = layout.index(&images);
    let to = Destination { tags: vec!["v1".into()], ..to(&registry) };
    let pushed = push(&layout.source(), &index, &to, &silent()).await.unwrap();
    assert_eq!(pushed.uploaded_blobs, 5, "the layer that both have goes once");
    assert_there(&registry, &index, &[shared, amd64, arm64]);
    assert_there(&registry, &images[1], &[]);
    assert_eq!(registry.tag("shop/api", "v1"), Some(index.to_string()));
}

#[tokio::test(start_paused = true)]
async fn a_cut_upload_is_resumed_where_it_broke() {
    let case = Case::new();
    case.registry.on(|seen| match (seen.method.as_str(), seen.range.is_some()) {
        ("PATCH", false) => Fault::CutAfter(70_000),
        _ => Fault::None,
    });
    case.push().await.unwrap();
    case.assert_there();
    let bytes: usize = case.layers.iter().map(Vec::len).sum();
    assert!(case.registry.uploaded_bytes() < bytes + 1000, "{} bytes sent", case.registry.uploaded_bytes());
    let ranges: Vec<String> = case.registry.seen().into_iter().filter_map(|seen| seen.range).collect();
    assert!(ranges.contains(&format!("70000-{}", MIB - 1)), "{ranges:?}");
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_the_registry_has_forgotten_begins_anew() {
    for refuses_ranges in [false, true] {
        let case = Case::new();
        if refuses_ranges {
            case.registry.refuse_ranges();
        }
        case.registry.on(move |seen| match (seen.method.as_str(), seen.nth) {
            ("PATCH", 1) if refuses_ranges => Fault::CutAfter(70_000),
            ("PATCH", 1) => Fault::CutAndForget(70_000),
            _ => Fault::None,
        });
        case.push().await.unwrap();
        case.assert_there();
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_breaks_all_the_time_gets_there_as_long_as_something_arrives() {
    let case = Case::new();
    case.registry.on(|seen| if seen.method == "PATCH" { Fault::CutAfter(60_000) } else { Fault::None });
    case.push().await.unwrap();
    case.assert_there();
    assert!(case.registry.count("PATCH", "upload") > 15);
}

#[tokio::test(start_paused = true)]
async fn a_dead_line_is_given_up() {
    let case = Case::new();
    case.registry.on(|seen| if seen.method == "PATCH" { Fault::CutAfter(0) } else { Fault::None });
    let error = case.push().await.unwrap_err();
    assert!(error.message.contains("no answer from https://111122223333.dkr.ecr"), "{}", shown(&error));
    assert!(error.details.iter().any(|detail| detail.contains("tried 6 times")), "{}", shown(&error));
    assert_eq!(case.registry.manifests("shop/api"), Vec::<String>::new(), "nothing of it is visible");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_up() {
    let case = Case::new();
    case.registry.on(|seen| match (seen.method.as_str(), seen.kind) {
        ("PUT", "upload") => Fault::AnswerLost,
        ("PUT", "manifest") if seen.nth == 1 => Fault::AnswerLost,
        _ => Fault::None,
    });
    case.push().await.unwrap();
    case.assert_there();
    let bytes: usize = case.layers.iter().map(Vec::len).sum();
    assert!(case.registry.uploaded_bytes() < bytes + 1000, "no blob went twice");
}

#[tokio::test(start_paused = true)]
async fn patience_is_had_with_a_busy_registry() {
    let began = tokio::time::Instant::now();
    let case = Case::new();
    case.registry.on(|seen| match seen.nth {
        1 => Fault::Answer(429, "TOOMANYREQUESTS", Some(("retry-after", "7".to_owned()))),
        2 => Fault::Answer(503, "", None),
        _ => Fault::None,
    });
    case.push().await.unwrap();
    case.assert_there();
    assert!(began.elapsed() > Duration::from_secs(7), "{:?}", began.elapsed());

    let case = Case::new();
    case.registry.on(|seen| if seen.kind == "upload" { Fault::Answer(500, "UNKNOWN", None) } else { Fault::None });
    let error = case.push().await.unwrap_err();
    assert!(error.message.contains(&format!("to {HOST}/shop/api: {HOST}/shop/api fails")), "{}", shown(&error));
    assert_eq!(case.registry.manifests("shop/api"), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_keeps_something_else_is_found_out() {
    for kind in ["upload", "manifest"] {
        let case = Case::new();
        case.registry.on(move |seen| match (seen.method.as_str(), seen.kind == kind) {
            ("PUT", true) => Fault::OtherDigest,
            _ => Fault::None,
        });
        let error = case.push().await.unwrap_err();
        assert!(error.details[0].contains(&Digest::of("something else").to_string()), "{}", shown(&error));
    }
    let case = Case::new();
    case.registry.on(|seen| match (seen.method.as_str(), seen.kind) {
        ("GET", "manifest") => Fault::Garbled,
        _ => Fault::None,
    });
    let error = case.push().await.unwrap_err();
    assert!(error.message.contains("gave another manifest than"), "{}", shown(&error));
}

#[tokio::test(start_paused = true)]
async fn a_blob_that_is_accepted_and_lost_is_sent_again_or_told() {
    let case = Case::new();
    case.registry.on(|seen| match (seen.method.as_str(), seen.kind, seen.nth) {
        ("PUT", "upload", 1) => Fault::Pretend,
        _ => Fault::None,
    });
    case.push().await.unwrap();
    case.assert_there();

    let case = Case::new();
    case.registry.on(|seen| match (seen.method.as_str(), seen.kind) {
        ("PUT", "upload") => Fault::Pretend,
        _ => Fault::None,
    });
    let error = case.push().await.unwrap_err();
    assert!(error.message.contains("accepted the blob sha256:"), "{}", shown(&error));
    assert!(error.message.ends_with("and does not have it"), "{}", shown(&error));

    let case = Case::new();
    case.registry.on(|seen| match (seen.method.as_str(), seen.kind) {
        ("PUT", "manifest") => Fault::Pretend,
        _ => Fault::None,
    });
    let error = case.push().await.unwrap_err();
    assert!(error.message.ends_with("after its push"), "{}", shown(&error));
}

#[tokio::test(start_paused = true)]
async fn bytes_that_change_on_their_way_are_sent_again_and_damaged_files_are_told() {
    let case = Case::new();
    case.registry.on(|seen| match (seen.method.as_str(), seen.nth) {
        ("PATCH", 1) => Fault::Garbled,
        _ => Fault::None,
    });
    case.push().await.unwrap();
    case.assert_there();

    let case = Case::new();
    let damaged = Digest::of(&case.layers[1]);
    let path = case.layout.path().join("blobs/sha256").join(damaged.hex());
    std::fs::write(&path, layer(99, case.layers[1].len())).unwrap();
    let error = case.push().await.unwrap_err();
    assert!(error.message.contains(&format!("is damaged: {damaged} is not what it says")), "{}", shown(&error));
    std::fs::write(&path, b"short").unwrap();
    let error = case.push().await.unwrap_err();
    assert!(error.details[0].contains("has 5 bytes instead of 100000"), "{}", shown(&error));
    assert_eq!(case.registry.manifests("shop/api"), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ends_in_mid_push_is_fetched_anew() {
    let case = Case::new();
    let to = with_tokens(&case.registry).await;
    let ended = Mutex::new(false);
    let registry = case.registry.clone();
    case.registry.on(move |seen| {
        let mut ended = ended.lock().unwrap();
        if seen.method == "PATCH" && !*ended {
            *ended = true;
            registry.expire_tokens();
        }
        Fault::None
    });
    push(&case.layout.source(), &case.image, &to, &silent()).await.unwrap();
    case.assert_there();
    assert_eq!(case.registry.count("POST", "token"), 2, "one at the beginning, one for all that were refused");

    // A registry that refuses every token is not asked for ever.
    case.registry.on(|seen| match seen.kind {
        "token" => Fault::None,
        _ => Fault::Answer(401, "UNAUTHORIZED", None),
    });
    let error = push(&case.layout.source(), &case.image, &to, &silent()).await.unwrap_err();
    assert_eq!(error.kind, infra::error::Kind::Credentials, "{}", shown(&error));
}

/// A name, and what it is.
type Failure = (&'static str, fn() -> Fault);

/// The ways in which a registry can fail a request.
const FAILURES: [Failure; 10] = [
    ("401", || Fault::Answer(401, "UNAUTHORIZED", None)),
    ("429", || Fault::Answer(429, "TOOMANYREQUESTS", Some(("retry-after", "1".to_owned())))),
    ("500", || Fault::Answer(500, "UNKNOWN", None)),
    ("line cut", || Fault::CutAfter(10)),
    ("line cut, upload forgotten", || Fault::CutAndForget(10)),
    ("answer lost", || Fault::AnswerLost),
    ("answer cut", || Fault::BodyCutAfter(5)),
    ("wrong digest", || Fault::OtherDigest),
    ("accepted and lost", || Fault::Pretend),
    ("garbled", || Fault::Garbled),
];

fn small() -> Case {
    Case::of(vec![layer(1, 3000), layer(2, 20)])
}

#[tokio::test(start_paused = true)]
async fn whichever_request_fails_in_whichever_way_no_wrong_image_is_left() {
    let smooth = small();
    smooth.push().await.unwrap();
    let requests = smooth.registry.seen().len();
    let mut finished = 0;
    for (what, failure) in FAILURES {
        for (from, lasting) in (0..requests).flat_map(|from| [(from, false), (from, true)]) {
            let case = small();
            let count = Mutex::new(0);
            case.registry.on(move |seen| {
                let mut count = count.lock().unwrap();
                *count += 1;
                let strikes = *count - 1 == from || (lasting && *count > from);
                // What a registry says it has, it has.
                let pretends = what == "accepted and lost" && matches!(seen.method.as_str(), "GET" | "HEAD");
                if strikes && !pretends { failure() } else { Fault::None }
            });
            let at = format!("{what}, request {from} of {requests}{}", if lasting { " and all after it" } else { "" });
            let pushed = case.push().await;
            if case.registry.manifest("shop/api", &case.image).is_some() {
                case.assert_there();
            }
            match pushed {
                Ok(_) => {
                    assert!(case.registry.manifest("shop/api", &case.image).is_some(), "{at}: it is said to be there");
                    finished += 1;
                }
                Err(error) => assert!(
                    error.message.contains("shop/api") || error.message.contains(HOST),
                    "{at}: {}",
                    shown(&error)
                ),
            }
        }
    }
    // A line that breaks once, a busy moment, an answer that is lost: none of them ends a push.
    assert!(finished > 5 * requests, "{finished} of {} pushes", 2 * requests * FAILURES.len());
}

#[tokio::test(start_paused = true)]
async fn a_token_may_end_before_any_request() {
    let smooth = small();
    smooth.push().await.unwrap();
    for nth in 0..smooth.registry.seen().len() {
        let case = small();
        let to = with_tokens(&case.registry).await;
        let (registry, count) = (case.registry.clone(), Mutex::new(0));
        case.registry.on(move |seen| {
            let mut count = count.lock().unwrap();
            *count += usize::from(seen.kind != "token");
            if *count == nth + 1 && seen.kind != "token" {
                registry.expire_tokens();
            }
            Fault::None
        });
        push(&case.layout.source(), &case.image, &to, &silent()).await.unwrap();
        case.assert_there();
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_killed_moves_only_the_rest() {
    let layout = Layout::new();
    let layers: Vec<Vec<u8>> = (0..10).map(|seed| layer(seed, 200_000)).collect();
    let image = layout.image(&layers);
    let registry = Registry::new();
    registry.on(|seen| match (seen.method.as_str(), seen.nth) {
        ("PATCH", 7..) => Fault::Answer(403, "DENIED", None),
        _ => Fault::None,
    });
    push(&layout.source(), &image, &to(&registry), &silent()).await.unwrap_err();
    let there = layers.iter().filter(|bytes| registry.blob("shop/api", &Digest::of(bytes)).is_some()).count();
    assert!((1..10).contains(&there), "{there} of 10");
    registry.on(|_| Fault::None);
    registry.forget_seen();
    let pushed = push(&layout.source(), &image, &to(&registry), &silent()).await.unwrap();
    assert_eq!(pushed.present_blobs, there);
    assert_eq!(registry.uploaded_bytes() as u64, pushed.uploaded_bytes);
    assert_there(&registry, &image, &layers);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_never_moves_is_respected() {
    let case = Case::new();
    case.registry.make_tags_immutable();
    let tagged = Destination { tags: vec!["v1".into()], immutable_tags: true, ..to(&case.registry) };
    push(&case.layout.source(), &case.image, &tagged, &silent()).await.unwrap();
    push(&case.layout.source(), &case.image, &tagged, &silent()).await.unwrap();
    let other = case.layout.image(&[layer(7, 1000)]);
    case.registry.forget_seen();
    let error = push(&case.layout.source(), &other, &tagged, &silent()).await.unwrap_err();
    insta::assert_snapshot!(shown(&error).replace(&case.image.to_string(), "FIRST"), @r"
    Other: the tag `v1` of 111122223333.dkr.ecr.us-east-1.amazonaws.com/shop/api is another image's, and its tags never move
      it names FIRST
    hint: choose another tag; the image itself is named by its digest and needs none
    ");
    assert_eq!(case.registry.uploaded_bytes(), 0, "found out before anything is moved");
    // Where nobody knew beforehand the registry says it.
    let unaware = Destination { immutable_tags: false, ..tagged };
    let error = push(&case.layout.source(), &other, &unaware, &silent()).await.unwrap_err();
    assert!(error.message.contains("the tag `v1` of"), "{}", shown(&error));
    assert_eq!(case.registry.tag("shop/api", "v1"), Some(case.image.to_string()));
}

#[tokio::test(start_paused = true)]
async fn an_image_is_copied_between_registries_over_lines_that_break() {
    for refuses_ranges in [false, true] {
        let layout = Layout::new();
        let layers = vec![layer(1, MIB), layer(2, 300_000)];
        let image = layout.image(&layers);
        let index = layout.index(&[image]);
        let staging = Registry::new();
        let tagged = Destination { tags: vec!["run-7".into()], ..to(&staging) };
        push(&layout.source(), &index, &tagged, &silent()).await.unwrap();
        if refuses_ranges {
            staging.refuse_ranges();
        }
        staging.on(|seen| match (seen.method.as_str(), seen.kind) {
            ("GET", "blob") if seen.nth <= 3 => Fault::BodyCutAfter(150_000),
            _ => Fault::None,
        });
        let prod = Registry::new();
        prod.on(|seen| match (seen.method.as_str(), seen.nth) {
            ("PATCH", 1) => Fault::CutAfter(90_000),
            _ => Fault::None,
        });
        let pushed = copy(&to(&staging).repository, "run-7", &to(&prod), &silent()).await.unwrap();
        assert_eq!(pushed.digest, index);
        assert_there(&prod, &index, &layers);
        let again = copy(&to(&staging).repository, &index.to_string(), &to(&prod), &silent()).await.unwrap();
        assert!(again.already_there);
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_what_is_damaged_or_missing_is_refused() {
    let case = Case::new();
    case.push().await.unwrap();
    let prod = Registry::new();
    let from = to(&case.registry).repository;
    let error = copy(&from, "none", &to(&prod), &silent()).await.unwrap_err();
    assert!(error.message.ends_with("has no image `none`"), "{}", shown(&error));
    case.registry.on(|seen| match (seen.method.as_str(), seen.kind) {
        ("GET", "blob") => Fault::Garbled,
        _ => Fault::None,
    });
    let error = copy(&from, &case.image.to_string(), &to(&prod), &silent()).await.unwrap_err();
    assert!(error.message.contains("gives something else for sha256:"), "{}", shown(&error));
    assert_eq!(prod.manifests("shop/api"), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn all_tags_are_listed_and_a_manifest_goes_with_its_own() {
    let case = Case::new();
    let tags = ["a", "b", "c", "d", "e"];
    let tagged = Destination { tags: tags.map(str::to_owned).to_vec(), ..to(&case.registry) };
    push(&case.layout.source(), &case.image, &tagged, &silent()).await.unwrap();
    assert_eq!(tagged.repository.tags().await.unwrap(), tags);
    tagged.repository.remove(&case.image).await.unwrap();
    tagged.repository.remove(&case.image).await.unwrap();
    assert_eq!(tagged.repository.tags().await.unwrap(), Vec::<String>::new());
}
