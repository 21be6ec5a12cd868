//! What a file is served as: its media type and how long it may be kept, by its name alone.

/// Names whose content never changes are kept for a year (RFC 8246).
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Pages are asked for again each time, and answered from the cache if they are the same.
const PAGE: &str = "public, max-age=0, must-revalidate";
/// Everything else: long enough to help, short enough to be wrong for.
const SHORT: &str = "public, max-age=300";
/// So many letters and digits behind a separator are a digest of the content: Vite, webpack, esbuild and Parcel write
/// eight or more.
const LEAST_HASH: usize = 8;

/// The media type by the file's extension (IANA's registry; WHATWG for scripts). Texts say that they are UTF-8.
pub fn content_type(name: &str) -> &'static str {
    match extension(name).as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/vnd.microsoft.icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        _ => "application/octet-stream",
    }
}

/// The `Cache-Control` header by the file's name.
pub fn cache_control(name: &str) -> &'static str {
    if is_page(name) {
        PAGE
    } else if is_hashed(name) {
        FOREVER
    } else {
        SHORT
    }
}

/// Whether visitors come by this address: it names other files and goes up after them. Service workers and manifests are
/// asked for by their fixed names too.
pub fn is_page(name: &str) -> bool {
    let file = file_name(name);
    matches!(extension(name).as_str(), "html" | "htm" | "webmanifest")
        || matches!(file, "sw.js" | "service-worker.js" | "robots.txt" | "sitemap.xml")
}

/// `app.4f2a9c1b.js`, `index-BkH3x9Qz.css`: a word of letters and digits, digits among them, before the extension.
fn is_hashed(name: &str) -> bool {
    let file = file_name(name);
    let stem = file.trim_end_matches(".map").rsplit_once('.').map_or("", |(stem, _)| stem);
    let Some(at) = stem.rfind(['.', '-', '_']) else { return false };
    let word = &stem[at + 1..];
    word.len() >= LEAST_HASH
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn extension(name: &str) -> String {
    file_name(name).rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_are_served_as() {
        assert_eq!(content_type("index.html"), "text/html; charset=utf-8");
        assert_eq!(content_type("js/app.JS"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("favicon.svg"), "image/svg+xml");
        assert_eq!(content_type("v1.2/LICENSE"), "application/octet-stream");
    }

    #[test]
    fn only_names_that_change_with_their_content_are_kept_for_ever() {
        for name in ["assets/index-BkH3x9Qz.css", "app.4f2a9c1b.js", "app.4f2a9c1b.js.map", "logo_0123456789abcdef.png"]
        {
            assert_eq!(cache_control(name), FOREVER, "{name}");
        }
        for name in
            ["js/app.js", "styles.css", "jquery-3.7.1.js", "photo-20260101.jpg", "my-controller.js", "favicon.svg"]
        {
            assert_eq!(cache_control(name), SHORT, "{name}");
        }
        for name in ["index.html", "docs/index-BkH3x9Qz.html", "sw.js", "site.webmanifest"] {
            assert_eq!(cache_control(name), PAGE, "{name}");
        }
    }
}
