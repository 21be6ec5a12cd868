//! One package of npm below `target/`, fetched once for each pinned version. None of its scripts is run.

use super::target_dir;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

/// The unpacked files of `package@version`, without what it depends on.
pub fn package(name: &str, version: &str) -> PathBuf {
    let folder = target_dir().join("npm").join(format!("{}-{version}", name.replace(['@', '/'], "_")));
    std::fs::create_dir_all(&folder).expect("target/ is writable");
    let lock = File::create(folder.join("lock")).expect("target/ is writable");
    lock.lock().expect("the package's lock file can be locked");
    let files = folder.join("package");
    if !files.exists() {
        let packed = Command::new("npm")
            .args(["pack", "--silent", "--ignore-scripts", &format!("{name}@{version}")])
            .current_dir(&folder)
            .output()
            .unwrap_or_else(|error| panic!("npm could not be started ({error}): these tests need Node.js"));
        assert!(packed.status.success(), "npm pack {name}: {}", String::from_utf8_lossy(&packed.stderr));
        let archive = folder.join(String::from_utf8_lossy(&packed.stdout).trim());
        let reader = flate2::read::GzDecoder::new(File::open(archive).expect("npm made the archive"));
        let part = folder.join("part");
        let _ = std::fs::remove_dir_all(&part);
        tar::Archive::new(reader).unpack(&part).expect("the archive can be unpacked");
        std::fs::rename(part.join("package"), &files).expect("the package is complete");
    }
    files
}
