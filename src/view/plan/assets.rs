//! What goes up beside the stacks: a headline and a line or two for each image, package and site.

use super::rows::Row;
use super::{Detail, Sign};
use crate::plan::{Asset, AssetAction, AssetStep, ImageAsset, PackageAsset, SiteAsset};
use crate::view::text;

/// Files that are named where nobody asked for more.
const FEW: usize = 5;
const INDENT: usize = 2;

/// What happens to it as a whole.
pub(super) fn sign(asset: &AssetStep) -> Sign {
    match (asset.action, &asset.asset) {
        (AssetAction::Remove, _) => Sign::Remove,
        (_, Asset::Image(image)) if image.before.is_none() => Sign::Add,
        (_, Asset::Image(image)) if image.after.is_none() => Sign::Unknown,
        (_, Asset::Package(package)) if package.before.is_none() => Sign::Add,
        (_, Asset::Package(package)) if package.after.is_none() => Sign::Unknown,
        (AssetAction::UploadIfMissing, Asset::Site(_)) => Sign::Unknown,
        (_, Asset::Site(site)) if site.change.is_empty() && site.remove.is_empty() && site.unchanged == 0 => Sign::Add,
        _ => Sign::Change,
    }
}

/// `sha256:1a2b3c4d → sha256:9f8e7d6c (12 commits) from staging`
pub(super) fn headline(asset: &AssetStep) -> String {
    match (asset.action, &asset.asset) {
        (AssetAction::Remove, _) => "all files and their old versions are deleted, before their bucket is".to_owned(),
        (_, Asset::Image(image)) => of_image(image),
        (_, Asset::Package(package)) => of_package(package),
        (AssetAction::UploadIfMissing, Asset::Site(_)) => "the files may differ: their bucket was not asked".to_owned(),
        (_, Asset::Site(site)) => of_site(site),
    }
}

fn of_image(image: &ImageAsset) -> String {
    let from = image.from.as_ref().map(|from| from.environment.as_str());
    digests(image.before.as_deref(), image.after.as_deref(), image.commits, from)
}

fn of_package(package: &PackageAsset) -> String {
    let from = package.from.as_ref().map(|from| from.environment.as_str());
    digests(package.before.as_deref(), package.after.as_deref(), package.commits, from)
}

fn digests(before: Option<&str>, after: Option<&str>, commits: Option<u64>, from: Option<&str>) -> String {
    let short = |digest: Option<&str>| digest.map_or("(known after apply)", short).to_owned();
    let mut line = match before {
        Some(_) if before != after => format!("{} → {}", short(before), short(after)),
        _ => short(after),
    };
    // Changes that are not committed have no number.
    if let Some(count) = commits.and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0) {
        line += &format!(" ({})", text::count(count, "commit"));
    }
    if let Some(from) = from {
        line += &format!(" from {from}");
    }
    line
}

fn of_site(site: &SiteAsset) -> String {
    let SiteAsset { add, change, remove, .. } = site;
    let figures = format!("{} to add, {} to change, {} to remove", add.len(), change.len(), remove.len());
    match add.len() + change.len() + remove.len() {
        0 => "the CDN forgets what it holds, since the last upload broke off".to_owned(),
        _ => figures,
    }
}

/// Enough of a digest to know it again.
fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 8).unwrap_or(digest)
}

/// Where it goes, how much of it, and which files.
pub(super) fn rows(asset: &AssetStep, detail: Detail) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut say = |sign: Sign, line: String| {
        let lines = text::wrap(&line, detail.width.saturating_sub(INDENT + super::rows::SYMBOL_WIDTH));
        rows.extend(lines.into_iter().map(|line| Row::new(sign, INDENT, line)));
    };
    match &asset.asset {
        Asset::Image(image) => say(Sign::None, image_goes(asset, image)),
        Asset::Package(package) => say(Sign::None, package_goes(asset, package)),
        Asset::Site(_) if asset.action == AssetAction::Remove => {}
        Asset::Site(site) if asset.action == AssetAction::UploadIfMissing => {
            say(Sign::None, format!("from {} to the bucket of {}", site.folder, asset.stack));
        }
        Asset::Site(site) => {
            let to = format!("{} from {} to the bucket of {}", bytes(site.size_bytes), site.folder, asset.stack);
            say(Sign::None, to);
            for (sign, names) in [(Sign::Add, &site.add), (Sign::Change, &site.change), (Sign::Remove, &site.remove)] {
                let shown = if detail.verbose || names.len() <= FEW { names.len() } else { FEW - 1 };
                names[..shown].iter().for_each(|name| say(sign, name.clone()));
                if shown < names.len() {
                    say(sign, format!("… {} more (--verbose names them)", names.len() - shown));
                }
            }
            if !site.invalidate.is_empty() {
                say(Sign::None, format!("CloudFront forgets {}", site.invalidate.join(", ")));
            }
        }
    }
    rows
}

fn image_goes(asset: &AssetStep, image: &ImageAsset) -> String {
    let mut size = image.size_bytes.map(|size| format!("{} ", bytes(size))).unwrap_or_default();
    if !image.platforms.is_empty() {
        size = format!("for {}: {size}", image.platforms.join(", "));
    }
    let stack = &asset.stack;
    match (asset.action, &image.from) {
        (AssetAction::Nothing, _) => format!("in the repository of {stack} already"),
        (AssetAction::UploadIfMissing, None) => {
            format!("{size}to push to the repository of {stack}, if it is not there")
        }
        (AssetAction::UploadIfMissing, Some(_)) => {
            format!("{size}to copy to the repository of {stack}, if it is not there")
        }
        (_, None) => format!("{size}to push to the repository of {stack}"),
        (_, Some(_)) => format!("{size}to copy to the repository of {stack}"),
    }
}

fn package_goes(asset: &AssetStep, package: &PackageAsset) -> String {
    let size = package.size_bytes.map(|size| format!("{} ", bytes(size))).unwrap_or_default();
    let to = match &package.bucket {
        Some(bucket) => format!("s3://{bucket}"),
        None => format!("the bucket of {}", asset.stack),
    };
    let verb = if package.from.is_some() { "copy" } else { "upload" };
    match asset.action {
        AssetAction::Nothing => format!("in {to} already"),
        AssetAction::UploadIfMissing => format!("{size}to {verb} to {to}, if it is not there"),
        _ => format!("{size}to {verb} to {to}"),
    }
}

fn bytes(count: u64) -> String {
    indicatif::BinaryBytes(count).to_string()
}
