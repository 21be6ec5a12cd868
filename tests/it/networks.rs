//! The way to AWS on machines that are not plain: company proxies that read TLS, profiles that want codes, sign-ins that
//! have ended, proxies in the environment.

#![allow(clippy::unwrap_used)] // helpers of tests

use crate::support::cli::Run;
use crate::support::project::{Project, Server};
use crate::support::venv;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// `tls/`: a certificate authority of these tests and a certificate that it signed for this machine. The key is nobody's.
fn tls(file: &str) -> String {
    format!("{}/tests/it/tls/{file}", env!("CARGO_MANIFEST_DIR"))
}

const ENVIRONMENT: &str = "project: shop\naccount: \"111122223333\"\nregion: us-east-1\n";

fn project() -> Project {
    let project = Project::offline();
    project.write("environments/dev.yaml", ENVIRONMENT);
    project
}

/// A run with a key, against this address.
fn keyed(project: &Project, endpoint: &str) -> Run {
    project
        .infra(&["outputs", "--env", "dev"])
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "test")
}

/// Answers every request by TLS as STS answers to somebody who may not.
struct TlsServer {
    child: Child,
    endpoint: String,
}

impl TlsServer {
    fn start() -> TlsServer {
        const PROGRAM: &str = r#"
import http.server, ssl, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>reached by TLS</Message></Error></ErrorResponse>"
        self.send_response(403); self.send_header("content-type", "text/xml")
        self.send_header("content-length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;
        let mut child = Command::new(venv::program("python"))
            .args(["-c", PROGRAM, &tls("server.pem"), &tls("server.key")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        TlsServer { child, endpoint: format!("https://localhost:{}", port.trim()) }
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_company_s_certificates_are_trusted_where_they_are_named() {
    let server = TlsServer::start();
    let project = project();
    let stranger = keyed(&project, &server.endpoint).env("SSL_CERT_FILE", tls("server.pem")).expect(1).stderr;
    assert!(stranger.contains(&format!("the certificate of {} is not accepted", server.endpoint)), "{stranger}");
    assert!(stranger.contains("signed by nobody who is trusted here"), "{stranger}");
    assert!(stranger.contains("AWS_CA_BUNDLE=") && !stranger.contains("is the server"), "{stranger}");

    let reached = |run: Run| {
        let said = run.expect(1).stderr;
        assert!(said.contains("reached by TLS"), "{said}");
    };
    reached(keyed(&project, &server.endpoint).env("AWS_CA_BUNDLE", tls("ca.pem")));
    project.write("config", &format!("[default]\nca_bundle = {}\n", tls("ca.pem")));
    let config = project.path().join("config");
    reached(keyed(&project, &server.endpoint).env("AWS_CONFIG_FILE", &config));
    // The variable comes before the profile.
    let wrong = keyed(&project, &server.endpoint).env("AWS_CONFIG_FILE", &config).env("AWS_CA_BUNDLE", "/nowhere.pem");
    insta::assert_snapshot!(wrong.expect(1).stderr, @r"
    error: the certificates in /nowhere.pem cannot be used
      there is no such file
      the file is named by AWS_CA_BUNDLE
    hint: name a file of certificates in PEM (`-----BEGIN CERTIFICATE-----`), or take the setting away
    ");
    project.write("garbled.pem", "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n");
    let garbled = keyed(&project, &server.endpoint).env("AWS_CA_BUNDLE", project.path().join("garbled.pem")).expect(1);
    assert!(garbled.stderr.contains("garbled.pem cannot be used"), "{}", garbled.stderr);
}

#[test]
fn a_profile_that_wants_a_code_says_what_to_do_where_nobody_can_be_asked() {
    let project = project();
    project.write(
        "config",
        "[profile deploy]\nrole_arn = arn:aws:iam::111122223333:role/deploy\nsource_profile = base\n\
         mfa_serial = arn:aws:iam::111122223333:mfa/alice\n[profile base]\naws_access_key_id = AKIAEXAMPLE\n\
         aws_secret_access_key = test\n",
    );
    let run = project.infra(&["outputs", "--env", "dev", "--profile", "deploy"]);
    let run = run.env("AWS_CONFIG_FILE", project.path().join("config"));
    insta::assert_snapshot!(run.expect(1).stderr, @r"
    error: the profile `deploy` wants the code of an MFA device
      `mfa_serial` names arn:aws:iam::111122223333:mfa/alice for the role arn:aws:iam::111122223333:role/deploy
      nobody can be asked for it: standard input or error is no terminal
    hint: run `aws sts get-caller-identity --profile deploy` in a terminal first: the session that it opens is used here while it lasts
    hint: in a pipeline take a role that wants no code, by OIDC or by the runner's own role
    ");
}

#[test]
fn a_sign_in_that_is_missing_or_over_is_named_as_such() {
    let project = project();
    project.write(
        "config",
        "[profile legacy]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n\
         sso_account_id = 111122223333\nsso_role_name = Admin\n[profile through]\nsource_profile = legacy\n\
         role_arn = arn:aws:iam::111122223333:role/x\n",
    );
    let home = project.path().to_owned();
    let run = |profile: &str| {
        let run = project.infra(&["outputs", "--env", "dev", "--profile", profile]).env("HOME", &home);
        run.env("AWS_CONFIG_FILE", home.join("config")).expect(1).stderr
    };
    for profile in ["legacy", "through"] {
        let missing = run(profile);
        assert!(missing.starts_with("error: nobody is signed in for the profile `legacy`\n"), "{missing}");
        assert!(missing.contains("hint: sign in: `aws sso login --profile legacy`"), "{missing}");
    }
    // The name is the SHA-1 of the address.
    let token = "{\"startUrl\": \"https://example.awsapps.com/start\", \"region\": \"eu-west-1\", \"accessToken\": \"x\", \
                 \"expiresAt\": \"2026-01-01T00:00:00Z\"}";
    project.write(".aws/sso/cache/SHA.json".replace("SHA", SHA1_OF_START_URL).as_str(), token);
    let over = run("legacy");
    assert!(over.starts_with("error: the sign-in of the profile `legacy` has ended\n"), "{over}");
    assert!(over.contains("was good until 2026-01-01T00:00:00Z") && over.contains("aws sso login"), "{over}");
}

/// `printf %s https://example.awsapps.com/start | sha1sum`
const SHA1_OF_START_URL: &str = "e8be5486177c5b5392bd9aa76563515b29358e6e";

#[test]
fn no_proxy_stands_before_this_machine() {
    let project = Project::on_server(Server::Local);
    project.write("environments/dev.yaml", &ENVIRONMENT.replace("111122223333", "ACCOUNT"));
    let mut run = project.infra(&["plan", "--env", "dev"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        run = run.env(name, "http://127.0.0.1:9");
    }
    let said = run.run();
    assert!(!said.stderr.contains("no answer from"), "{}", said.stderr);
    assert!(said.stderr.contains("NoSuchBucket") || said.stderr.contains("bootstrap"), "{}", said.stderr);
}

#[test]
fn proxies_of_the_environment_lead_everywhere_else() {
    for (variable, no_proxy, through) in
        [("HTTPS_PROXY", "", true), ("https_proxy", "", true), ("HTTPS_PROXY", "aws.invalid", false)]
    {
        let proxy = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}", proxy.local_addr().unwrap());
        let (sender, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for mut stream in proxy.incoming().flatten() {
                let mut head = [0; 256];
                let count = stream.read(&mut head).unwrap_or(0);
                let _ = sender.send(String::from_utf8_lossy(&head[..count]).into_owned());
                let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
            }
        });
        let project = project();
        keyed(&project, "https://sts.aws.invalid").env(variable, &address).env("NO_PROXY", no_proxy).expect(1);
        let first = asked.recv_timeout(Duration::from_millis(100)).ok();
        let connects = first.is_some_and(|head| head.starts_with("CONNECT sts.aws.invalid:443"));
        assert_eq!(connects, through, "{variable} {no_proxy}");
    }
}
