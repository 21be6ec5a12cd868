//! The repository's services, from their Dockerfiles to an answer: built by Buildah on a base of Debian's packages, pushed
//! to docker-registry, pulled back by skopeo, unpacked and started.

use crate::base;
use crate::buildah::wrapper;
use crate::layout::architecture;
use crate::server::{Server, all_there, assert_same, free_port};
use infra::image::Digest;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Each service, and what it needs to start.
const SERVICES: [(&str, &[&str]); 2] = [
    ("fastapi-a", &["TABLE_NAME=items", "API_SIGNING_KEY=0123456789abcdef", "AWS_REGION=us-east-1"]),
    ("fastapi-b", &["ITEMS_URL=http://127.0.0.1:1/a"]),
];
const STARTS_WITHIN: Duration = Duration::from_secs(60);

/// A project with the services, a registry that stands for all others, and a Buildah that knows no other.
struct Place {
    folder: tempfile::TempDir,
    server: Server,
}

impl Place {
    /// `python_version`: the tag of the base image, as the Dockerfiles name it.
    fn new(server: Server, python_version: &str) -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap(), server };
        let registries = format!(
            "unqualified-search-registries = [\"docker.io\"]\n[[registry]]\nprefix = \"docker.io\"\nlocation = \"{}\"\n\
             insecure = true\n",
            place.server.host()
        );
        fs::write(place.path("registries.conf"), registries).unwrap();
        wrapper(place.folder.path(), &[("CONTAINERS_REGISTRIES_CONF", &place.path("registries.conf"))]).unwrap();
        let (mut images, mut stacks) = (String::new(), String::new());
        for (name, _) in SERVICES {
            stacks += &format!("  {name}-images: {{template: ecr-repository, inputs: {{name: {name}}}}}\n");
            images += &format!(
                "  {name}: {{context: apps/{name}, args: {{PYTHON_VERSION: \"{python_version}\"}}, platform: linux/{}, \
                 builder: buildah}}\n",
                architecture()
            );
            let (from, to) =
                (Path::new(env!("CARGO_MANIFEST_DIR")).join("apps").join(name), place.path("project/apps"));
            fs::create_dir_all(&to).unwrap();
            assert!(Command::new("cp").arg("-r").args([&from, &to]).status().unwrap().success());
        }
        fs::create_dir_all(place.path("project/environments")).unwrap();
        let environment =
            format!("project: shop\naccount: \"111122223333\"\nregion: us-east-1\nimages:\n{images}stacks:\n{stacks}");
        fs::write(place.path("project/environments/dev.yaml"), environment).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn buildah(&self) -> Command {
        Command::new(self.path("bin/buildah"))
    }

    /// What `infra` prints as JSON.
    fn infra(&self, args: &[&str]) -> Value {
        let path = std::env::var("PATH").unwrap();
        let ran = Command::new(env!("CARGO_BIN_EXE_infra"))
            .args(args)
            .args(["--format", "json"])
            .current_dir(self.path("project"))
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(ran.status.success(), "infra {args:?}: {}", String::from_utf8_lossy(&ran.stderr));
        serde_json::from_slice(&ran.stdout).unwrap()
    }

    /// Starts the image of a layout as a container, with its own command.
    fn start(&self, name: &str, layout: &Path, digest: &Digest, variables: &[&str]) -> Service {
        // Buildah calls the image what its path is, and no image may have capitals in its name, as temporary folders do.
        let from = format!("oci:{}:pulled", layout.file_name().unwrap().display());
        let mut unpack = self.buildah();
        unpack.args(["from", "--quiet", "--name", name, &from]).current_dir(layout.parent().unwrap());
        let made = unpack.status().unwrap();
        assert!(made.success(), "buildah unpacks {name}");
        let blob = |digest: &str| -> Value {
            let path = layout.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
            serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
        };
        let config = blob(blob(&digest.to_string())["config"]["digest"].as_str().unwrap());
        let command: Vec<&str> = config["config"]["Cmd"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(config["config"]["User"], "10001:10001", "it does not run as root");
        let port = free_port();
        let log = self.path(&format!("{name}.log"));
        let mut run = self.buildah();
        run.args(["run", "--env", &format!("PORT={port}")]);
        run.args(variables.iter().flat_map(|variable| ["--env", variable]));
        let output = File::create(&log).unwrap();
        run.arg(name).arg("--").args(command).stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        Service { process: run.spawn().unwrap(), port, log }
    }
}

struct Service {
    process: Child,
    port: u16,
    log: PathBuf,
}

impl Drop for Service {
    fn drop(&mut self) {
        // Buildah passes it on to what runs in the container.
        let _ = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.process.id())]).status();
        let _ = self.process.wait();
    }
}

impl Service {
    /// The head and body of what it answers, as soon as it does.
    fn answer(&mut self, path: &str) -> String {
        let deadline = Instant::now() + STARTS_WITHIN;
        loop {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                return answer;
            }
            let log = || fs::read_to_string(&self.log).unwrap();
            assert!(self.process.try_wait().unwrap().is_none(), "it ended: {}", log());
            assert!(Instant::now() < deadline, "no answer within {STARTS_WITHIN:?}: {}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn both_services_are_built_pushed_pulled_back_and_answer() {
    if !all_there(&["buildah"]) {
        return;
    }
    let (Some(server), Some(base)) = (Server::start(), base::python()) else { return };
    let place = Place::new(server, &base.version);
    let host = place.server.host();
    let layout = base.layout.path().display().to_string();
    let (to, tag) = (format!("{host}/library/python"), format!("{}-slim", base.version));
    place.infra(&["image", "push", &layout, "--to", &to, "--tag", &tag, "--no-commit-tag"]);
    let built = place.infra(&["image", "build", "--env", "dev"]);
    for (name, variables) in SERVICES {
        let layout = built[name]["layout"].as_str().unwrap();
        let repository = format!("shop/{name}");
        let to = format!("{host}/{repository}");
        let pushed = place.infra(&["image", "push", name, "--env", "dev", "--to", &to, "--no-commit-tag"]);
        let digest: Digest = built[name]["digest"].as_str().unwrap().parse().unwrap();
        assert_eq!(pushed["reference"], format!("{host}/{repository}@{digest}"));
        let pulled = place.server.pull(&repository, &digest);
        assert_same(&pulled, &place.path("project").join(layout));
        let mut service = place.start(name, &pulled, &digest, variables);
        let answer = service.answer("/health");
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"ok\""), "{name}: {answer}");
        eprintln!("{name}: {digest} answers");
    }
    let again = place.infra(&["image", "build", "--env", "dev"]);
    assert_eq!(again, built, "nothing is built again");
}
