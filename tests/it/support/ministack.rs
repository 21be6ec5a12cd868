//! An AWS emulator that nobody here wrote, on a port of its own, one for all tests of a process.
//!
//! Every test works in an account of its own (the emulator takes a twelve-digit access key for the account), so tests
//! do not see each other. The server ends with the test process, however that ends: it reads a pipe that only the test
//! process holds open.

use super::venv;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Waits for the end of its standard input, then ends the server.
pub const KEEPER: &str = "
import os, signal, subprocess, sys
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
sys.stdin.read()
os.killpg(server.pid, signal.SIGKILL)
";

struct Server {
    port: u16,
    _keeper: Child,
    _pipe: ChildStdin,
}

/// One account on the emulator.
#[derive(Clone, Debug)]
pub struct Account {
    pub endpoint: String,
    /// Twelve digits, the access key too.
    pub id: String,
}

/// A fresh account on this process's server.
pub fn account() -> Account {
    Account { endpoint: endpoint(), id: fresh_id() }
}

/// An account that no other test has.
pub fn fresh_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let process = u64::from(std::process::id()) * 1000 % 800_000_000_000;
    (100_000_000_000 + process + NEXT.fetch_add(1, Ordering::Relaxed)).to_string()
}

/// `http://127.0.0.1:<port>` of this process's server.
pub fn endpoint() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    format!("http://127.0.0.1:{}", SERVER.get_or_init(start).port)
}

/// Another server, for a test that needs the one account that the emulator's registry knows to itself.
pub fn second_endpoint() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    format!("http://127.0.0.1:{}", SERVER.get_or_init(start).port)
}

fn start() -> Server {
    let port = free_port();
    let data = super::target_dir().join("ministack").join(port.to_string());
    std::fs::create_dir_all(&data).expect("target/ is writable");
    let log = std::fs::File::create(data.join("server.log")).expect("target/ is writable");
    let mut keeper = Command::new(venv::program("python"))
        .args(["-c", KEEPER])
        .arg(venv::program("ministack"))
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", "127.0.0.1")
        .env("TMPDIR", &data)
        .env("LOG_LEVEL", "WARNING")
        .env_remove("AWS_ACCESS_KEY_ID")
        .stdin(Stdio::piped())
        .stdout(log.try_clone().expect("a file handle"))
        .stderr(log)
        .spawn()
        .expect("the emulator starts");
    let pipe = keeper.stdin.take().expect("its standard input is piped");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !healthy(port) {
        assert!(Instant::now() < deadline, "ministack did not answer within 60 s; see {}", data.display());
        std::thread::sleep(Duration::from_millis(50));
    }
    Server { port, _keeper: keeper, _pipe: pipe }
}

fn healthy(port: u16) -> bool {
    use std::io::Read;
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let request = b"GET /_ministack/health HTTP/1.0\r\nHost: localhost\r\n\r\n";
    let mut answer = [0; 15];
    stream.set_read_timeout(Some(Duration::from_secs(5))).is_ok()
        && stream.write_all(request).is_ok()
        && stream
            .read(&mut answer)
            .is_ok_and(|n| answer[..n].ends_with(b" 200 O") || answer[..n].windows(3).any(|w| w == b"200"))
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port can be bound");
    listener.local_addr().expect("it has an address").port()
}
