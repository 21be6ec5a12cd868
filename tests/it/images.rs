//! `infra image`: pushed, listed and pruned on an emulator whose endpoint is a registry too.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use crate::push::{Layout, layer};
use crate::support::ministack::{self, Account};
use crate::support::project::{Project, Server};
use crate::support::{small, state};
use infra::image::Digest;
use serde_json::{Value, json};

/// The registry of the emulator knows the default account alone: its requests carry no signature.
fn project() -> Project {
    let project = Project::on(Account { endpoint: ministack::endpoint(), id: "000000000000".to_owned() });
    small::files(&project);
    project
}

fn digests(images: &Value) -> Vec<String> {
    images.as_array().unwrap().iter().map(|image| image["digest"].as_str().unwrap().to_owned()).collect()
}

/// Four images in a repository, of which the first is in the state of `dev`.
async fn four_images(project: &Project) -> Vec<Digest> {
    let account = project.account.as_ref().unwrap();
    state::boto(account, "client('ecr').create_repository(repositoryName='small/dev/api')").await;
    let mut images = Vec::new();
    for seed in 0..4 {
        let layout = Layout::new();
        let image = layout.image(&[layer(0, 5000), layer(seed + 1, 1000)]);
        layout.name(&image);
        let path = layout.path().display().to_string();
        let tag = format!("v{seed}");
        let push = ["image", "push", &path, "--to", "small/dev/api", "--tag", &tag, "--no-commit-tag", "--env", "dev"];
        let pushed = project.infra(&[&push[..], &["--format", "json"]].concat()).expect(0).json();
        assert_eq!(pushed["reference"], format!("000000000000.dkr.ecr.us-east-1.amazonaws.com/small/dev/api@{image}"));
        assert_eq!(pushed["uploaded_blobs"], if seed == 0 { 3 } else { 2 }, "{pushed}");
        images.push(image);
    }
    let written = json!({"at": "2026-01-01T00:00:00Z", "by": "a", "host": "h", "version": "1", "operation": "apply"});
    let record = json!({
        "stack_name": "small-dev-api", "target": {"account": account.id, "region": "us-east-1"},
        "fingerprint": {"stack_id": "i", "changed_at": "2026-01-01T00:00:00Z", "status": "CREATE_COMPLETE"},
        "template_name": "ecr-repository", "template_digest": "d", "parameters": {}, "tags": {}, "waits_on": [],
        "outputs": {"RepositoryName": "small/dev/api"}, "images": {"api": format!("r.test/api@{}", images[0])},
        "applied": written
    });
    let text = json!({
        "format_version": 1, "lineage": "l", "serial": 1, "project": "small", "environment": "dev", "written": written,
        "stacks": {"api": record}
    });
    state::make_bucket_and_table(account).await;
    let put = format!(
        "client('s3').put_object(Bucket=f'infra-state-{{account}}-us-east-1', Key='small/dev/state.json', Body=r'''{text}''')"
    );
    state::boto(account, &put).await;
    images
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_pushed_listed_and_pruned_but_for_those_in_use() {
    let project = project();
    let images = four_images(&project).await;

    let list = || project.infra(&["image", "list", "--env", "dev", "--format", "json"]).expect(0).json();
    let listed = list();
    assert_eq!(listed[0]["repository"], "small/dev/api");
    assert_eq!(digests(&listed[0]["images"]).len(), 4);
    for image in listed[0]["images"].as_array().unwrap() {
        let used = image["digest"] == images[0].to_string();
        let by = json!([{"by": "environment", "name": "dev", "stack": "api"}]);
        assert_eq!(image["used_by"], if used { by } else { json!([]) });
        assert_eq!(image["tags"].as_array().unwrap().len(), 1);
    }
    let table = project.infra(&["image", "list", "--env", "dev"]).expect(0).stdout;
    let line = table.lines().find(|line| line.contains(&images[0].short())).unwrap();
    assert!(line.contains("v0") && line.ends_with("dev"), "{table}");

    let prune = ["image", "prune", "--keep", "1", "--env", "dev"];
    let dry = project.infra(&[&prune[..], &["--dry-run", "--format", "json"]].concat()).expect(0).json();
    let chosen = digests(&dry[0]["remove"]);
    // Images of one second have no order that a test could know: the first that is listed may be the one in use.
    let newest = listed[0]["images"][0]["digest"] == images[0].to_string();
    assert_eq!(chosen.len(), if newest { 3 } else { 2 });
    assert!(!chosen.contains(&images[0].to_string()), "it is in use");
    let unasked = project.infra(&prune).expect(1);
    assert!(unasked.stderr.contains("nobody can be asked"), "{}", unasked.stderr);
    assert_eq!(digests(&list()[0]["images"]).len(), 4, "nothing went");

    // Somebody's else environment may use any of them.
    project
        .write("environments/prod.yaml", "project: small\naccount: \"111122223333\"\nregion: us-east-1\nstacks: {}\n");
    let refused = project.infra(&[&prune[..], &["--yes"]].concat()).expect(1);
    assert!(refused.stderr.contains("not known which images environment `prod` uses"), "{}", refused.stderr);
    assert!(refused.stderr.contains("--without prod"), "{}", refused.stderr);
    assert_eq!(digests(&list()[0]["images"]).len(), 4, "nothing went");

    let pruned = project.infra(&[&prune[..], &["--yes", "--without", "prod"]].concat()).expect(0);
    assert!(pruned.stderr.contains(&format!("{} images removed.", chosen.len())), "{}", pruned.stderr);
    let left = digests(&list()[0]["images"]);
    assert_eq!(left.len(), 4 - chosen.len());
    assert!(left.contains(&images[0].to_string()) && chosen.iter().all(|gone| !left.contains(gone)), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_copied_and_what_is_missing_is_told() {
    let project = project();
    let account = project.account.as_ref().unwrap();
    state::boto(account, "for name in ['shop/a', 'shop/b']: client('ecr').create_repository(repositoryName=name)")
        .await;
    let layout = Layout::new();
    let image = layout.image(&[layer(1, 5000)]);
    layout.name(&image);
    let path = layout.path().display().to_string();
    project.infra(&["image", "push", &path, "--to", "shop/a", "--no-commit-tag", "--env", "dev"]).expect(0);
    let host = "000000000000.dkr.ecr.us-east-1.amazonaws.com";
    let (from, to) = (format!("{host}/shop/a@{image}"), format!("{host}/shop/b:v1"));
    let copied = project.infra(&["image", "copy", &from, &to, "--format", "json"]).expect(0).json();
    assert_eq!((&copied["digest"], &copied["tags"]), (&json!(image), &json!(["v1"])));
    let again = project.infra(&["image", "copy", &from, &to]).expect(0);
    assert!(again.stdout.contains("nothing: the repository had it"), "{}", again.stdout);

    let none = project.infra(&["image", "push", &path, "--to", "shop/c", "--no-commit-tag", "--env", "dev"]).expect(1);
    assert!(none.stderr.contains("account 000000000000 has no repository `shop/c` in us-east-1"), "{}", none.stderr);
    let unknown = project.infra(&["image", "push", "api", "--env", "dev"]).expect(64);
    assert!(unknown.stderr.contains("makes no image `api`") && unknown.stderr.contains("hint: "), "{}", unknown.stderr);
    project.infra(&["image", "copy", &format!("{host}/shop/a"), &to]).expect(64);
    project.infra(&["image", "push", &path, "--to", "shop/a", "--tag", "no tag", "--env", "dev"]).expect(64);
}

/// The registry of the embedded AWS, whose repositories keep their tags.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_pushed_whole_and_its_tag_never_moves() {
    let project = Project::on_server(Server::Local);
    small::files(&project);
    let account = project.account.clone().unwrap();
    let make = "client('ecr').create_repository(repositoryName='small/dev/api', imageTagMutability='IMMUTABLE')";
    state::boto(&account, make).await;
    let push = |layout: &Layout, tag: &str| {
        let path = layout.path().display().to_string();
        let words = ["image", "push", &path, "--to", "small/dev/api", "--tag", tag, "--no-commit-tag", "--env", "dev"];
        project.infra(&[&words[..], &["--format", "json"]].concat())
    };
    let several = Layout::new();
    let shared = layer(0, 5000);
    let platforms = [several.image(&[shared.clone(), layer(1, 900)]), several.image(&[shared.clone(), layer(2, 900)])];
    let index = several.index(&platforms);
    several.name_index(&index);
    let pushed = push(&several, "v1").expect(0).json();
    assert_eq!((&pushed["digest"], &pushed["tags"]), (&json!(index), &json!(["v1"])), "{pushed}");
    assert_eq!(pushed["uploaded_blobs"], 5, "three layers and two configurations, each once: {pushed}");
    let whole = format!(
        "
import hashlib, json, urllib.request
ecr = client('ecr')
def manifest(**which):
    found = ecr.batch_get_image(repositoryName='small/dev/api', imageIds=[which])
    assert not found['failures'], found
    return found['images'][0]['imageManifest']
tagged = manifest(imageTag='v1')
assert 'sha256:' + hashlib.sha256(tagged.encode()).hexdigest() == '{index}'
children = [child['digest'] for child in json.loads(tagged)['manifests']]
assert children == ['{}', '{}'], children
token = ecr.get_authorization_token()['authorizationData'][0]['authorizationToken']
for child in children:
    parts = json.loads(manifest(imageDigest=child))
    for blob in [parts['config'], *parts['layers']]:
        host = f'{{account}}.dkr.ecr.us-east-1.amazonaws.com'
        request = urllib.request.Request(f'{{endpoint}}/v2/small/dev/api/blobs/' + blob['digest'],
                                         headers={{'Authorization': 'Basic ' + token, 'Host': host}})
        body = urllib.request.urlopen(request).read()
        assert 'sha256:' + hashlib.sha256(body).hexdigest() == blob['digest']
",
        platforms[0], platforms[1]
    );
    state::boto(&account, &whole).await;
    assert_eq!(push(&several, "v1").expect(0).json()["already_there"], true);

    let other = Layout::new();
    let image = other.image(&[layer(3, 900)]);
    other.name(&image);
    let refused = push(&other, "v1").expect(1);
    assert!(refused.whole().contains("is another image's, and its tags never move"), "{}", refused.whole());
    assert!(refused.whole().contains(&format!("it names {index}")), "{}", refused.whole());
    let nothing_moved = format!(
        "
ids = client('ecr').list_images(repositoryName='small/dev/api')['imageIds']
assert '{image}' not in [one['imageDigest'] for one in ids], ids
assert [one['imageDigest'] for one in ids if one.get('imageTag') == 'v1'] == ['{index}'], ids
"
    );
    state::boto(&account, &nothing_moved).await;
    assert_eq!(push(&other, "v2").expect(0).json()["tags"], json!(["v2"]), "under another tag it goes");
}
