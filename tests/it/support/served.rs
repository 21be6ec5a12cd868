//! `infra local serve`, started once for each test process: the embedded AWS as other programs see it.

use super::ministack::{Account, free_port, fresh_id};
use super::venv;
use std::io::Write;
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

struct Server {
    port: u16,
    _keeper: Child,
    _pipe: ChildStdin,
}

/// A fresh account on this process's server.
pub fn account() -> Account {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let port = SERVER.get_or_init(start).port;
    Account { endpoint: format!("http://127.0.0.1:{port}"), id: fresh_id() }
}

/// As fast as it goes: what is tested here is not how long things take.
fn start() -> Server {
    let port = free_port();
    let folder = super::target_dir().join("served").join(port.to_string());
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("target/ is writable");
    let log = std::fs::File::create(folder.join("server.log")).expect("target/ is writable");
    let mut keeper = Command::new(venv::program("python"))
        .args(["-c", super::ministack::KEEPER, env!("CARGO_BIN_EXE_infra"), "local", "serve"])
        .args(["--speed", "3600", "--port", &port.to_string()])
        .current_dir(&folder)
        .env_remove("INFRA_ENV")
        .stdin(Stdio::piped())
        .stdout(log.try_clone().expect("a file handle"))
        .stderr(log)
        .spawn()
        .expect("infra starts");
    let pipe = keeper.stdin.take().expect("its standard input is piped");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !answers(port) {
        assert!(Instant::now() < deadline, "infra local serve did not answer within 30 s; see {}", folder.display());
        std::thread::sleep(Duration::from_millis(20));
    }
    Server { port, _keeper: keeper, _pipe: pipe }
}

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok_and(|mut stream| stream.flush().is_ok())
}
