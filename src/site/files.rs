//! The files of a folder, with the digest by which S3 knows what it has.

use crate::error::{Error, Kind};
use crate::files::{self, ENVIRONMENTS, OWN_FOLDER, reason};
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

/// All files of a folder of the project, in the order of their names. Names that begin with a dot are left out (`.git`,
/// `.DS_Store`), but for `.well-known`.
///
/// # Errors
/// The folder or a file cannot be read, or is neither file nor folder; a name is not UTF-8; the folder, or a link in it, leads
/// out of the project or of the folder; it holds environments or a saved plan.
pub fn scan(project: &Path, folder: &str) -> Result<Vec<File>, Error> {
    let project = project.canonicalize().map_err(|error| unreadable(project, &error))?;
    let refused = |why: &str| {
        Error::new(Kind::Configuration, format!("the folder `{folder}` of a site {why}"))
            .hint("`files` names a folder of the project that holds what is published, and nothing else")
    };
    if leads_out(folder) {
        return Err(refused(&format!("lies outside of the project {}", project.display())));
    }
    let root = project.join(folder).canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => refused("does not exist"),
        _ => refused(&format!("cannot be read: {}", reason(&error))),
    })?;
    if !root.starts_with(&project) {
        return Err(refused(&format!("lies outside of the project {}", project.display()))
            .detail(format!("it leads to {}", root.display())));
    }
    if !root.is_dir() {
        return Err(refused("is no folder"));
    }
    let own = [project.join(ENVIRONMENTS), project.join(OWN_FOLDER)];
    if let Some(own) = own.iter().find(|own| own.is_dir() && (own.starts_with(&root) || root.starts_with(own))) {
        let name = own.strip_prefix(&project).unwrap_or(own).display();
        return Err(refused(&format!("holds `{name}`, which nobody else may read")));
    }
    let mut files = Vec::new();
    walk(&root, &root, "", &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Whether a path leads out of the project by its `..` alone, whatever is there.
pub fn leads_out(folder: &str) -> bool {
    let mut depth = 0_i32;
    folder.split('/').any(|part| {
        depth += match part {
            "" | "." => 0,
            ".." => -1,
            _ => 1,
        };
        depth < 0
    })
}

/// `sha256:…` of the names and contents: two folders that are served alike have the same.
pub fn digest(files: &[File]) -> String {
    let lines = files.iter().map(|file| format!("{} {} {}\n", file.md5, file.bytes, file.name));
    crate::model::digest(&lines.collect::<String>())
}

fn walk(root: &Path, folder: &Path, prefix: &str, found: &mut Vec<File>) -> Result<(), Error> {
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
            walk(root, &path, &format!("{name}/"), found)?;
        } else if !metadata.is_file() {
            // Opening a named pipe would wait for whoever writes into it.
            let message = format!("{} is neither file nor folder", path.display());
            return Err(Error::new(Kind::Configuration, message).hint("take it out of the site's folder"));
        } else if files::is_saved_plan(&real).map_err(|error| unreadable(&path, &error))? {
            let message = format!("{} is a saved plan, which nobody else may read", path.display());
            return Err(Error::new(Kind::Configuration, message).hint("save plans outside of the site's folder"));
        } else if metadata.len() > MAX_BYTES {
            let message = format!("{} is too big for a site: {} bytes", path.display(), metadata.len());
            return Err(Error::new(Kind::Configuration, message).hint("5 GiB go up in one piece, and no more"));
        } else {
            let md5 = md5(&real).map_err(|error| unreadable(&path, &error))?;
            found.push(File { name, path: real, bytes: metadata.len(), md5 });
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
        let names: Vec<String> = scan(folder.path(), "").unwrap().into_iter().map(|file| file.name).collect();
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
        let error = scan(folder.path(), "").unwrap_err();
        assert!(error.message.ends_with("leads out of the site's folder"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn folders_outside_of_the_project_and_what_nobody_may_read_are_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        for folder in ["outside", "project/environments", "project/site/deep", "project/plans"] {
            fs::create_dir_all(path(folder)).unwrap();
        }
        fs::write(path("project/environments/dev.yaml"), "").unwrap();
        fs::write(path("project/plans/plan"), "{\n \"format_version\": \"1\", \"infra_version\": \"0\"").unwrap();
        std::os::unix::fs::symlink(path("outside"), path("project/link")).unwrap();
        let refused = |folder: &str| scan(&path("project"), folder).unwrap_err().message;
        for outside in ["../outside", "link", "..", "site/../../outside"] {
            assert!(refused(outside).contains("lies outside of the project"), "{outside}: {}", refused(outside));
        }
        for holds in [".", "", "environments", "site/.."] {
            assert!(refused(holds).contains("holds `environments`"), "{holds}: {}", refused(holds));
        }
        assert!(refused("plans").contains("is a saved plan"), "{}", refused("plans"));
        assert!(refused("none").ends_with("does not exist"));
        assert!(scan(&path("project"), "site").unwrap().is_empty());
        let pipe = path("project/site/deep/pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(refused("site").ends_with("is neither file nor folder"), "{}", refused("site"));
        fs::remove_file(&pipe).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(&pipe).unwrap();
        assert!(refused("site").ends_with("is neither file nor folder"), "{}", refused("site"));
    }
}
