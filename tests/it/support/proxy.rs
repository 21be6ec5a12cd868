//! A proxy between a whole `infra` process and its AWS: it counts requests, and a rule may break one or act on it.
//!
//! For tests that need a real process (`kill -9`, exit codes, the terminal); tests inside the process watch the
//! connector instead (`wire`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What becomes of a request.
#[derive(Debug, Clone)]
pub enum Verdict {
    Pass,
    /// The request never arrives: the connection is closed.
    Drop,
    /// The request has its effect, but the answer never comes: the connection is closed.
    DropAnswer,
    /// Answered by the proxy: status, body.
    Answer(u16, String),
}

/// A request as rules see it.
#[derive(Debug, Clone)]
pub struct Request {
    /// `CreateChangeSet`, `PutItem`; for S3 method and path.
    pub operation: String,
    pub body: String,
    /// Counts all requests, from 1.
    pub number: usize,
}

type Rule = dyn Fn(&Request) -> Verdict + Send + Sync;

pub struct Proxy {
    pub endpoint: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Proxy {
    /// Listens on a port of its own, passes on to `endpoint` what `rule` lets pass.
    pub fn before(endpoint: &str, rule: impl Fn(&Request) -> Verdict + Send + Sync + 'static) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        let port = listener.local_addr().expect("it has an address").port();
        let behind = endpoint.trim_start_matches("http://").to_owned();
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let rule: Arc<Rule> = Arc::new(rule);
        let recorded = seen.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (behind, rule, seen) = (behind.clone(), rule.clone(), recorded.clone());
                std::thread::spawn(move || serve(client, &behind, &*rule, &seen));
            }
        });
        Proxy { endpoint: format!("http://127.0.0.1:{port}"), seen }
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().expect("no test panics while it holds this").clone()
    }
}

/// One request a connection: whatever breaks, breaks only that request.
fn serve(mut client: TcpStream, behind: &str, rule: &Rule, seen: &Mutex<Vec<Request>>) -> Option<()> {
    let (head, body) = read_request(&client)?;
    let request = {
        let mut seen = seen.lock().ok()?;
        let request = Request {
            operation: operation(&head, &body),
            body: String::from_utf8_lossy(&body).into_owned(),
            number: seen.len() + 1,
        };
        seen.push(request.clone());
        request
    };
    let verdict = rule(&request);
    let answer = match &verdict {
        Verdict::Drop => return None,
        Verdict::Answer(status, body) => {
            format!("HTTP/1.1 {status} Made up\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
                .into_bytes()
        }
        Verdict::Pass | Verdict::DropAnswer => {
            let mut server = TcpStream::connect(behind).ok()?;
            let head: String = head
                .lines()
                .filter(|line| !line.to_ascii_lowercase().starts_with("connection:"))
                .flat_map(|line| [line, "\r\n"])
                .collect();
            server.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).ok()?;
            server.write_all(&body).ok()?;
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).ok()?;
            answer
        }
    };
    if !matches!(verdict, Verdict::DropAnswer) {
        client.write_all(&answer).ok()?;
    }
    Some(())
}

/// The head without its closing blank line, and the body.
fn read_request(client: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    if header("expect").is_some() {
        let mut stream = client;
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let mut body = vec![0; header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn operation(head: &str, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    let target = head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case("x-amz-target").then(|| value.rsplit('.').next().unwrap_or(value).trim().to_owned())
    });
    let action = || body.split('&').find_map(|pair| pair.strip_prefix("Action=")).map(str::to_owned);
    target.or_else(action).unwrap_or_else(|| {
        let mut words = head.split_whitespace();
        let method = words.next().unwrap_or_default();
        format!("{method} {}", words.next().unwrap_or_default().split('?').next().unwrap_or_default())
    })
}
