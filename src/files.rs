//! Text files of a project: read whole and as UTF-8, or refused with a problem that says why and where.
//!
//! A file is refused by its size before it is read, so that a wrong path (a disk image, a device) costs nothing.

use crate::problem::{Location, Position, Problem, SourceFile, Span};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads the file at `path`, known to people as `name`.
///
/// # Errors
/// The file is missing, no regular file, longer than `limit_bytes`, or not UTF-8.
pub fn read(path: &Path, name: &str, limit_bytes: u64) -> Result<Arc<SourceFile>, Problem> {
    let unreadable = |error: std::io::Error| {
        Problem::error("unreadable-file", format!("cannot read {name}: {}", reason(&error)), None)
    };
    // Asked before opening: opening a named pipe would wait for a writer.
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Problem::error("unreadable-file", format!("{name} is no regular file"), None));
    }
    if metadata.len() > limit_bytes {
        return Err(too_big(name, Some(metadata.len()), limit_bytes));
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // A file may grow, and some (below /proc) have no length: the limit holds for what is read, too.
    file.take(limit_bytes + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit_bytes {
        return Err(too_big(name, None, limit_bytes));
    }
    decode(bytes, name)
}

/// Bytes as text. A byte order mark of UTF-8 is dropped; other encodings are refused at the first byte that betrays them.
///
/// # Errors
/// UTF-16, or any byte sequence that is not UTF-8.
pub fn decode(bytes: Vec<u8>, name: &str) -> Result<Arc<SourceFile>, Problem> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let message = format!("{name} is UTF-16 (its first bytes are {:#04X} {:#04X})", bytes[0], bytes[1]);
        return Err(Problem::error("encoding", message, None).help("save it as UTF-8"));
    }
    if let Some(zero) = bytes.iter().take(64).position(|byte| *byte == 0) {
        let message = format!("{name} is no text: byte {} is zero", zero + 1);
        return Err(Problem::error("encoding", message, None)
            .help("save it as UTF-8; UTF-16 without a byte order mark looks like this, too"));
    }
    let bytes = match bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]) {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Arc::new(SourceFile::new(name, text))),
        Err(error) => Err(not_utf8(error.as_bytes(), error.utf8_error().valid_up_to(), name)),
    }
}

fn not_utf8(bytes: &[u8], at: usize, name: &str) -> Problem {
    let before = String::from_utf8_lossy(&bytes[..at]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    let start = Position { line, column, offset: before.chars().count() };
    let end = Position { column: column + 1, offset: start.offset + 1, ..start };
    let text = String::from_utf8_lossy(bytes).into_owned();
    let file = Arc::new(SourceFile::new(name, text));
    let byte = bytes.get(at).copied().unwrap_or_default();
    // In Latin-1 every byte is the character of that number; below 0xA0 lie control characters, which nobody types.
    let guess = match char::from(byte) {
        letter if byte >= 0xA0 => format!("byte {byte:#04X}, in Latin-1 `{letter}`"),
        _ => format!("byte {byte:#04X}"),
    };
    Problem::error("encoding", format!("{name} is not UTF-8"), Some(Location { file, span: Span { start, end } }))
        .label(guess)
        .help("save the file as UTF-8")
}

fn too_big(name: &str, bytes: Option<u64>, limit_bytes: u64) -> Problem {
    let size = bytes.map_or_else(|| "more".to_owned(), |bytes| format!("{bytes} bytes"));
    let message = format!("{name} is too big: {size}; at most {limit_bytes} bytes are read");
    Problem::error("file-too-big", message, None)
}

/// What `infra` itself keeps in a project.
pub const OWN_FOLDER: &str = ".infra";

/// Where a project keeps its environments.
pub const ENVIRONMENTS: &str = "environments";

/// Makes `.infra/` where it is missing. It is this machine's, whatever the project's own `.gitignore` says.
///
/// # Errors
/// Those of the file system.
pub fn own_folder(project: &Path) -> std::io::Result<PathBuf> {
    let own = project.join(OWN_FOLDER);
    std::fs::create_dir_all(&own)?;
    match OpenOptions::new().write(true).create_new(true).open(own.join(".gitignore")) {
        Ok(mut file) => file.write_all(b"*\n")?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    Ok(own)
}

/// Why a part of the project must not go where others can read it: it is a saved plan. None for everything else.
///
/// A plan holds names, parameters and templates of the account; it is known by its first keys.
///
/// # Errors
/// Those of the file system.
pub fn is_saved_plan(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(256).read_to_end(&mut head)?;
    let has = |key: &str| head.windows(key.len()).any(|window| window == key.as_bytes());
    Ok(head.starts_with(b"{") && has("\"format_version\"") && has("\"infra_version\""))
}

/// What to do about a disk that takes nothing; none where the disk is not what is wrong.
pub fn disk_remedy(error: &std::io::Error) -> Option<&'static str> {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Some("make room on that disk, then run the same command again: nothing was thrown away")
        }
        ErrorKind::ReadOnlyFilesystem => {
            Some("the file system is read-only: mount it for writing, or work in a copy elsewhere with `-C DIR`")
        }
        ErrorKind::PermissionDenied => Some("give this user the right to write there, or work as the one who has it"),
        _ => None,
    }
}

/// Writes a file for its owner's eyes alone (0600), also where it was there for others.
///
/// # Errors
/// Those of the file system.
pub fn write_own(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    #[cfg(unix)]
    if file.metadata()?.is_file() {
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    }
    file.write_all(bytes)
}

/// The operating system's reason without its error number.
pub fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(bytes: &[u8]) -> Problem {
        decode(bytes.to_vec(), "dev.yaml").expect_err("these bytes should be refused")
    }

    #[test]
    fn utf8_with_and_without_a_byte_order_mark() {
        assert_eq!(decode("a: ü".into(), "x").map(|file| file.text.clone()), Ok("a: ü".to_owned()));
        assert_eq!(decode(b"\xEF\xBB\xBFa: 1".to_vec(), "x").map(|file| file.text.clone()), Ok("a: 1".to_owned()));
    }

    #[test]
    fn other_encodings_name_the_first_wrong_byte() {
        let latin = refused(b"a: 1\nb: caf\xE9\n");
        let at = latin.at.expect("a place");
        assert_eq!((at.span.start.line, at.span.start.column), (2, 7));
        assert_eq!(latin.label, "byte 0xE9, in Latin-1 `é`");
        assert!(refused(b"\xFF\xFEa\0").message.contains("UTF-16 (its first bytes are 0xFF 0xFE)"));
        assert!(refused(b"a\0:\0").message.contains("byte 2 is zero"));
    }

    #[test]
    fn refused_files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("big.yaml");
        std::fs::File::create(&path).unwrap().set_len(10 * 1024 * 1024 * 1024).unwrap();
        let problem = read(&path, "big.yaml", 1000).expect_err("too big");
        assert_eq!(problem.message, "big.yaml is too big: 10737418240 bytes; at most 1000 bytes are read");
        let problem = read(directory.path(), "here", 1000).expect_err("a directory");
        assert_eq!(problem.message, "here is no regular file");
        let problem = read(&directory.path().join("none"), "none", 1000).expect_err("missing");
        assert_eq!(problem.message, "cannot read none: there is no such file");
    }

    #[test]
    fn a_disk_that_takes_nothing_is_named_as_what_is_wrong() {
        let of = |kind: ErrorKind| disk_remedy(&std::io::Error::new(kind, "x"));
        assert!(of(ErrorKind::StorageFull).is_some_and(|remedy| remedy.starts_with("make room")));
        assert!(of(ErrorKind::ReadOnlyFilesystem).is_some_and(|remedy| remedy.contains("read-only")));
        assert!(of(ErrorKind::PermissionDenied).is_some());
        assert_eq!(of(ErrorKind::InvalidData), None);
    }

    #[test]
    fn saved_plans_are_known_by_their_first_keys() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("any.name");
        let is_plan = |text: &str| {
            std::fs::write(&path, text).unwrap();
            is_saved_plan(&path).unwrap()
        };
        assert!(is_plan("{\n  \"format_version\": \"1.2\",\n  \"infra_version\": \"0.1.0\",\n"));
        assert!(!is_plan("{\"format_version\": \"1.2\"}"));
        assert!(!is_plan("\"format_version\" and \"infra_version\" are keys of a plan"));
        assert!(!is_plan(""));
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plan.json");
        std::fs::write(&path, "a longer text that was there before").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        write_own(&path, b"new").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_not_read() {
        let problem = read(Path::new("/dev/zero"), "zero", 1000).expect_err("a device");
        assert_eq!(problem.message, "zero is no regular file");
    }
}
