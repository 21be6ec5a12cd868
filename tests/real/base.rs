//! A base image with Python, made from the packages of the machine's own distribution: there is no registry to take the
//! official one from.
//!
//! `apt-get` loads what a shell and Python need, as if nothing were installed, from wherever the machine's apt is set up to
//! load it. The packages are unpacked, not installed: nothing of it needs root.

use crate::layout::Layout;
use crate::server::all_there;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGES: [&str; 6] = ["dash", "coreutils", "libc-bin", "python3", "python3-venv", "python-is-python3"];
/// Where the machine's certificates for its package index go in the image.
const CERTIFICATES: &str = "/etc/ssl/certs/package-index.pem";
/// Settings of pip that lead to a package index.
const PIP_SETTINGS: [&str; 6] = ["index-url", "extra-index-url", "trusted-host", "cert", "proxy", "timeout"];

/// An image as `python:<version>-slim` is one.
pub struct Base {
    pub layout: Layout,
    /// `3.11`
    pub version: String,
}

/// None, and a word about it, where it cannot be made.
pub fn python() -> Option<Base> {
    if !all_there(&["apt-get", "dpkg-deb", "tar", "python3"]) {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    for name in ["bin", "lib", "lib64", "sbin"] {
        fs::create_dir_all(root.join("usr").join(name)).unwrap();
        symlink(format!("usr/{name}"), root.join(name)).unwrap();
    }
    for name in ["dev", "etc/ssl/certs", "proc", "root", "run", "sys", "tmp", "var/tmp"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    for package in packages(folder.path()) {
        unpack(&package, &root);
    }
    configure_pip(&root);
    let target = fs::read_link(root.join("usr/bin/python3")).expect("python3 is a link to its version");
    let version = target.display().to_string().trim_start_matches("python").to_owned();
    let archive = folder.path().join("root.tar");
    let mut tar = Command::new("tar");
    tar.args(["--owner=0", "--group=0", "--numeric-owner", "-cf"]).arg(&archive).arg("-C").arg(&root).arg(".");
    assert!(tar.status().unwrap().success(), "{} cannot be packed", root.display());
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    Some(Base { layout: Layout::of_archive(&archive, &json!({"Env": [path]})), version })
}

/// The archives of the packages and of all that they depend on.
fn packages(folder: &Path) -> Vec<PathBuf> {
    let archives = folder.join("archives");
    let lists = folder.join("lists");
    for own in [&archives, &lists] {
        fs::create_dir_all(own.join("partial")).unwrap();
    }
    fs::write(folder.join("status"), "").unwrap();
    let apt = |own_lists: bool, words: &[&str]| {
        let mut settings = vec![("State::status", folder.join("status")), ("Cache::archives", archives.clone())];
        if own_lists {
            settings.push(("State::lists", lists.clone()));
        }
        let options = settings.iter().map(|(name, path)| format!("-oDir::{name}={}", path.display()));
        let mut apt = Command::new("apt-get");
        apt.args(["-q", "-y", "-oDebug::NoLocking=1"]).args(options).args(words).env("LC_ALL", "C").output().unwrap()
    };
    let load = [&["--no-install-recommends", "--download-only", "install"][..], &PACKAGES].concat();
    if !apt(false, &load).status.success() {
        // The machine's lists may be missing, or older than what the mirror has.
        fs::remove_dir_all(&archives).unwrap();
        fs::create_dir_all(archives.join("partial")).unwrap();
        let updated = apt(true, &["update"]);
        assert!(updated.status.success(), "{}", String::from_utf8_lossy(&updated.stderr));
        let loaded = apt(true, &load);
        assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    }
    let entries = fs::read_dir(archives).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "deb")).collect()
}

/// As `dpkg` would, but without scripts. `/bin` and its like stay the links that they are.
fn unpack(package: &Path, root: &Path) {
    let script = r#"dpkg-deb --fsys-tarfile "$1" | tar -C "$2" --keep-directory-symlink --no-same-owner -x"#;
    let status = Command::new("sh").args(["-c", script, "sh"]).args([package, root]).status().unwrap();
    assert!(status.success(), "{} cannot be unpacked", package.display());
}

/// Leads pip in the image to the package index that the machine's own pip takes.
fn configure_pip(root: &Path) {
    let told = Command::new("python3").args(["-m", "pip", "config", "list"]).output().unwrap();
    let mut settings = BTreeMap::new();
    // `global.cert='/a/path'`; what the environment says (`:env:.cert`) comes first and counts most.
    for line in String::from_utf8_lossy(&told.stdout).lines().rev() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let name = name.rsplit('.').next().unwrap_or_default();
        if let Some(known) = PIP_SETTINGS.into_iter().find(|known| *known == name) {
            settings.insert(known, value.trim_matches('\'').replace("\\n", "\n  "));
        }
    }
    let elsewhere = ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"].into_iter().find_map(|name| std::env::var(name).ok());
    if let Some(path) = settings.get("cert").cloned().or(elsewhere) {
        fs::copy(&path, root.join(&CERTIFICATES[1..])).unwrap();
        settings.insert("cert", CERTIFICATES.to_owned());
    }
    let text: String = settings.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
    fs::write(root.join("etc/pip.conf"), format!("[global]\n{text}")).unwrap();
}
