//! The files of a folder, with the digest by which S3 knows what it has.

use crate::error::{Error, Kind};
use crate::files::reason;
use md5::{Digest as _, Md5};
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How much of a file is read at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// S3 takes no larger object in one request (S3 user guide, "Uploading objects").
const MAX_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// A file to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Below the folder, with slashes: `js/app.js`.
    pub name: String,
    pub path: PathBuf,
    pub bytes: u64,
    /// Of the content, in hexadecimal: what S3 calls an object's ETag if it went up in one piece.
    pub md5: String,
}

/// All files of a folder, in the order of their names. Names that begin with a dot are left out (`.git`, `.DS_Store`), but
/// for `.well-known`.
///
/// # Errors
/// The folder or a file cannot be read; a name is not UTF-8; a link leads out of the folder.
pub fn scan(folder: &Path) -> Result<Vec<File>, Error> {
    let root = folder.canonicalize().map_err(|error| unreadable(folder, &error))?;
    if !root.is_dir() {
        return Err(Error::new(Kind::Configuration, format!("{} is no folder", folder.display())));
    }
    let mut files = Vec::new();
    walk(&root, &root, "", &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// `sha256:…` of the names and contents: two folders that are served alike have the same.
pub fn digest(files: &[File]) -> String {
    let lines = files.iter().map(|file| format!("{} {} {}\n", file.md5, file.bytes, file.name));
    crate::model::digest(&lines.collect::<String>())
}

fn walk(root: &Path, folder: &Path, prefix: &str, files: &mut Vec<File>) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, &error))? {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            Error::new(Kind::Configuration, format!("the name of {} is not UTF-8", path.display())).hint("rename it")
        })?;
        if name.starts_with('.') && name != ".well-known" {
            continue;
        }
        let real = path.canonicalize().map_err(|error| unreadable(&path, &error))?;
        if !real.starts_with(root) {
            return Err(Error::new(Kind::Configuration, format!("{} leads out of the site's folder", path.display()))
                .detail(format!("to {}", real.display()))
                .hint("copy the file into the folder, or remove the link"));
        }
        let name = format!("{prefix}{name}");
        let metadata = fs::metadata(&real).map_err(|error| unreadable(&path, &error))?;
        if metadata.is_dir() {
            // A link to a folder above would never end.
            if path.is_symlink() {
                return Err(Error::new(Kind::Configuration, format!("{} is a link to a folder", path.display()))
                    .hint("copy the folder, or remove the link"));
            }
            walk(root, &path, &format!("{name}/"), files)?;
        } else if metadata.len() > MAX_BYTES {
            let message = format!("{} is too big for a site: {} bytes", path.display(), metadata.len());
            return Err(Error::new(Kind::Configuration, message).hint("5 GiB go up in one piece, and no more"));
        } else {
            let md5 = md5(&real).map_err(|error| unreadable(&path, &error))?;
            files.push(File { name, path: real, bytes: metadata.len(), md5 });
        }
    }
    Ok(())
}

fn md5(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let mut hash = Md5::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&buffer[..count]);
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::new(Kind::Configuration, format!("cannot read {}: {}", path.display(), reason(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_below_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        };
        ["index.html", "js/app.js", ".git/HEAD", ".DS_Store", ".well-known/security.txt"]
            .iter()
            .for_each(|name| write(name));
        let names: Vec<String> = scan(folder.path()).unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, [".well-known/security.txt", "index.html", "js/app.js"]);
        let empty = folder.path().join("empty.txt");
        fs::write(&empty, "").unwrap();
        assert_eq!(md5(&empty).unwrap(), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_outside_of_the_folder_is_served() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), folder.path().join("x")).unwrap();
        let error = scan(folder.path()).unwrap_err();
        assert!(error.message.ends_with("leads out of the site's folder"), "{error}");
    }
}
