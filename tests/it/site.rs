//! A static site on an emulator: what changed goes up, pages last, what is gone goes after them, the CDN is told.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use crate::support::ministack::{self, Account};
use crate::support::state::boto;
use crate::support::wire::{Fault, Wire};
use infra::aws::{AccessKey, Aws, Connect, Invalidation};
use infra::model::Target;
use infra::site::{Applied, Plan, Tell, apply, plan, scan};
use std::path::Path;
use std::sync::Arc;

const MAKE: &str = "
client('s3').create_bucket(Bucket=f'site-{account}')
client('s3').put_object(Bucket=f'site-{account}', Key='other/index.html', Body=b'not ours')
made = client('cloudfront').create_distribution(DistributionConfig={
    'CallerReference': 'r', 'Comment': '', 'Enabled': True,
    'Origins': {'Quantity': 1, 'Items': [{'Id': 'o', 'DomainName': 'o.test', 'S3OriginConfig': {'OriginAccessIdentity': ''}}]},
    'DefaultCacheBehavior': {'TargetOriginId': 'o', 'ViewerProtocolPolicy': 'redirect-to-https'}})
client('s3').put_object(Bucket=f'site-{account}', Key='distribution', Body=made['Distribution']['Id'].encode())
";

/// A site of a few files, its bucket and its distribution.
struct Site {
    account: Account,
    wire: Wire,
    aws: Aws,
    folder: tempfile::TempDir,
    distribution: String,
}

impl Site {
    async fn new() -> Site {
        let account = ministack::account();
        boto(&account, MAKE).await;
        let wire = Wire::to_network();
        let aws = Aws::connect(Connect {
            endpoint_url: Some(account.endpoint.clone()),
            region: "us-east-1".to_owned(),
            credentials: Some(AccessKey { id: account.id.clone(), secret: "test".to_owned() }),
            http_client: Some(wire.client()),
            ..Connect::default()
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let mut site = Site { account, wire, aws, folder, distribution: String::new() };
        let location = infra::model::StateLocation {
            bucket: site.bucket_name(),
            table: String::new(),
            region: "us-east-1".to_owned(),
        };
        let id = site.aws.objects(&location).get("distribution").await.unwrap().unwrap();
        site.distribution = String::from_utf8(id.body).unwrap();
        for (name, text) in [("index.html", "<h1>1</h1>"), ("js/app.js", "one"), ("assets/a-0123abcd.css", "css")] {
            site.write(name, text);
        }
        site
    }

    fn bucket_name(&self) -> String {
        format!("site-{}", self.account.id)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn target(&self) -> Target {
        Target { account: self.account.id.clone(), region: "us-east-1".to_owned(), role: None }
    }

    async fn plan(&self) -> Plan {
        let objects = self.aws.site_bucket(&self.target(), &self.bucket_name()).list("www/").await.unwrap();
        plan(&scan(Path::new(self.folder.path()), "").unwrap(), &objects, "www/")
    }

    async fn apply(&self, plan: &Plan) -> Result<Applied, infra::error::Error> {
        let bucket = self.aws.site_bucket(&self.target(), &self.bucket_name());
        let cloudfront = self.aws.cloudfront(&self.target());
        let tell: Tell = Arc::new(|_| {});
        apply(plan, &bucket, Some((&cloudfront, &self.distribution)), &[], &tell).await
    }

    /// Requests that write, in their order, without the bucket's name.
    fn writes(&self) -> Vec<String> {
        let own = |operation: &str| operation.replace(&format!("{}/", self.bucket_name()), "");
        let calls = self.wire.calls().into_iter().map(|sent| own(&sent.operation));
        calls.filter(|operation| !operation.starts_with("GET")).collect()
    }
}

#[tokio::test]
async fn a_site_goes_up_and_then_only_what_changed() {
    let site = Site::new().await;
    let first = site.plan().await;
    assert_eq!((first.upload.len(), first.invalidate.len()), (3, 0));
    let applied = site.apply(&first).await.unwrap();
    assert_eq!((applied.uploaded, applied.invalidation), (3, None), "nobody has seen it yet");
    assert!(site.plan().await.is_empty());
    boto(
        &site.account,
        "
head = lambda key: client('s3').head_object(Bucket=f'site-{account}', Key=key)
page, script, hashed = head('www/index.html'), head('www/js/app.js'), head('www/assets/a-0123abcd.css')
assert page['ContentType'] == 'text/html; charset=utf-8', page
assert page['CacheControl'] == 'public, max-age=0, must-revalidate', page
assert script['ContentType'] == 'text/javascript; charset=utf-8', script
assert hashed['CacheControl'] == 'public, max-age=31536000, immutable', hashed
",
    )
    .await;

    site.write("index.html", "<h1>2</h1>");
    site.write("js/new.js", "two");
    std::fs::remove_file(site.folder.path().join("js/app.js")).unwrap();
    let second = site.plan().await;
    assert_eq!((second.upload.len(), second.remove.clone()), (2, vec!["www/js/app.js".to_owned()]));
    site.wire.forget();
    let applied = site.apply(&second).await.unwrap();
    let writes = site.writes();
    let (removal, rest) = (writes[2].starts_with("POST"), &writes[..2]);
    assert!(rest[0].contains("js/new.js") && rest[1].contains("index.html") && removal, "{writes:?}");
    let id = applied.invalidation.unwrap();
    let cloudfront = site.aws.cloudfront(&site.target());
    assert_eq!(cloudfront.invalidation(&site.distribution, &id).await.unwrap(), Invalidation::Completed);
    let told = format!(
        "
told = client('cloudfront').get_invalidation(DistributionId='{}', Id='{id}')['Invalidation']
assert sorted(told['InvalidationBatch']['Paths']['Items']) == ['/', '/index.html', '/js/app.js'], told
assert client('s3').get_object(Bucket=f'site-{{account}}', Key='other/index.html')['Body'].read() == b'not ours'
",
        site.distribution
    );
    boto(&site.account, &told).await;
    assert!(site.plan().await.is_empty());
}

#[tokio::test]
async fn nothing_is_removed_where_a_file_could_not_go_up() {
    let site = Site::new().await;
    site.apply(&site.plan().await).await.unwrap();
    site.write("index.html", "<h1>2</h1>");
    site.write("js/new.js", "two");
    std::fs::remove_file(site.folder.path().join("js/app.js")).unwrap();
    site.wire.on(|sent, _| match sent.operation.contains("js/new.js") {
        true => Fault::s3(403, "AccessDenied"),
        false => Fault::None,
    });
    let error = site.apply(&site.plan().await).await.unwrap_err();
    assert_eq!(error.kind, infra::error::Kind::AccessDenied, "{error:?}");
    site.wire.on(|_, _| Fault::None);
    let rest = site.plan().await;
    assert_eq!(
        (rest.upload.len(), rest.remove.len()),
        (2, 1),
        "neither the page nor the removal went before the script"
    );
}

#[tokio::test]
async fn a_plan_never_leaves_its_prefix() {
    let site = Site::new().await;
    let mut wrong = site.plan().await;
    wrong.remove.push("other/index.html".to_owned());
    let error = site.apply(&wrong).await.unwrap_err();
    assert!(error.message.contains("lies outside of `www/`; nothing was done"), "{error}");
    assert_eq!(site.plan().await.upload.len(), 3);
}

#[tokio::test]
async fn cloudfront_is_asked_again_and_its_errors_are_told() {
    let site = Site::new().await;
    let cloudfront = site.aws.cloudfront(&site.target());
    let busy = "<ErrorResponse><Error><Code>TooManyInvalidationsInProgress</Code><Message>later</Message></Error></ErrorResponse>";
    site.wire.on(move |sent, nth| match sent.operation.ends_with("/invalidation") && nth == 1 {
        true => Fault::Answer(400, busy.to_owned()),
        false => Fault::None,
    });
    cloudfront.invalidate(&site.distribution, &["/*".to_owned()]).await.unwrap();
    let error = cloudfront.invalidate("E0NONE", &["/*".to_owned()]).await.unwrap_err();
    assert_eq!(infra::aws::failure(&error).unwrap().code, "NoSuchDistribution", "{error:?}");
}
