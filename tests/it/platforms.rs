//! Archives of images: what is in them decides, not what the environment says of them.

#![allow(clippy::unwrap_used)] // helpers of tests

use crate::support::project::Project;
use infra::image::Digest;
use serde_json::{Value, json};
use std::path::Path;

/// A task or a function that runs the image `api`.
fn template(resource: &str) -> String {
    format!(
        "description: Runs an image.\ninputs: {{}}\nneeds:\n  Image: image:api\noutputs: {{}}\n---\nParameters:\n  Image: {{Type: \
         String}}\nResources:\n{resource}"
    )
}

const TASK: &str = "  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Cpu: \"256\"
      Memory: \"512\"
      NetworkMode: awsvpc
      RequiresCompatibilities: [FARGATE]
      RuntimePlatform: {CpuArchitecture: X86_64, OperatingSystemFamily: LINUX}
      ContainerDefinitions: [{Name: api, Image: !Ref Image}]
";

const FUNCTION: &str = "  Function:
    Type: AWS::Lambda::Function
    Properties:
      PackageType: Image
      Role: arn:aws:iam::000000000000:role/api
      Code: {ImageUri: !Ref Image}
      Architectures: [x86_64]
";

fn project(platform: &str, resource: &str) -> Project {
    let project = Project::offline();
    project.write("templates/runner.yaml", &template(resource)).write(
        "environments/dev.yaml",
        &format!(
            "project: shop\naccount: \"000000000000\"\nregion: us-east-1\nlocal: {{speed: 3600}}\nimages:\n  api: {{archive: \
             api.tar{platform}}}\nstacks:\n  api-images: {{template: ecr-repository, inputs: {{name: api}}}}\n  api: {{template: \
             runner}}\n"
        ),
    );
    project
}

fn tar(path: &Path, entries: &[(String, Vec<u8>)]) {
    let mut builder = tar::Builder::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    builder.finish().unwrap();
}

/// What `docker save` writes of an image without layers that holds anything.
fn saved(path: &Path, architecture: &str) {
    let layer = vec![0; 1024];
    let config = json!({
        "architecture": architecture, "os": "linux", "rootfs": {"type": "layers", "diff_ids": [Digest::of(&layer)]}
    });
    let config = config.to_string().into_bytes();
    let name = format!("{}.json", Digest::of(&config).hex());
    let manifest = json!([{"Config": name, "RepoTags": ["api:1"], "Layers": ["1/layer.tar"]}]).to_string();
    tar(path, &[("1/layer.tar".into(), layer), (name, config), ("manifest.json".into(), manifest.into_bytes())]);
}

/// An OCI archive whose index has these images, each with an attestation beside it, as BuildKit writes them.
fn attested(path: &Path, architectures: &[&str]) -> Vec<Digest> {
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    let mut blob = |bytes: Vec<u8>| -> Value {
        let (digest, size) = (Digest::of(&bytes), bytes.len());
        entries.push((format!("blobs/sha256/{}", digest.hex()), bytes));
        json!({"digest": digest, "size": size})
    };
    let mut typed = |bytes: Vec<u8>, media_type: &str| {
        let mut descriptor = blob(bytes);
        descriptor["mediaType"] = json!(media_type);
        descriptor
    };
    let (mut listed, mut images) = (Vec::new(), Vec::new());
    for architecture in architectures {
        for (os, architecture, seed) in [("linux", *architecture, 1_u8), ("unknown", "unknown", 2)] {
            let layer = typed(vec![seed; 600 + architecture.len()], "application/vnd.oci.image.layer.v1.tar");
            let config = json!({"architecture": architecture, "os": os, "rootfs": {"type": "layers", "diff_ids": []}});
            let config = typed(config.to_string().into_bytes(), "application/vnd.oci.image.config.v1+json");
            let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
            let mut entry = typed(manifest.to_string().into_bytes(), "application/vnd.oci.image.manifest.v1+json");
            entry["platform"] = json!({"os": os, "architecture": architecture});
            if os == "unknown" {
                entry["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
            } else {
                images.push(entry["digest"].as_str().unwrap().parse().unwrap());
            }
            listed.push(entry);
        }
    }
    let index_type = "application/vnd.oci.image.index.v1+json";
    let index = json!({"schemaVersion": 2, "mediaType": index_type, "manifests": listed});
    let index = typed(index.to_string().into_bytes(), index_type);
    let top = json!({"schemaVersion": 2, "manifests": [index]}).to_string();
    entries.push(("index.json".into(), top.into_bytes()));
    entries.push(("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
    tar(path, &entries);
    images
}

/// The image that the plan brings, as a document.
fn image_of_plan(project: &Project) -> Value {
    let plan = project.infra(&["plan", "--env", "dev", "--format", "json"]).expect(0).json();
    let assets = plan["assets"].as_array().unwrap_or_else(|| panic!("{plan}"));
    assets.iter().find(|asset| asset["name"] == "api").cloned().unwrap_or_else(|| panic!("{plan}"))
}

#[test]
fn an_archive_of_another_platform_is_refused_at_its_place() {
    for (platform, at) in [(", platform: linux/amd64", "asked for"), ("", "Task runs on linux/amd64")] {
        let project = project(platform, TASK);
        saved(&project.path().join("api.tar"), "arm64");
        for verb in ["validate", "plan"] {
            let refused = project.infra(&[verb, "--env", "dev"]).expect(1).stderr;
            assert!(refused.contains("made for linux/arm64") && refused.contains(at), "{verb}: {refused}");
            assert!(refused.contains("environments/dev.yaml:6"), "{verb}: {refused}");
        }
    }
    let right = project(", platform: linux/amd64", TASK);
    saved(&right.path().join("api.tar"), "amd64");
    right.infra(&["validate", "--env", "dev"]).expect(0);
    right.infra(&["plan", "--env", "dev"]).expect(0);
}

#[test]
fn an_archive_that_is_missing_is_found_before_anything_else() {
    let project = project("", TASK);
    for verb in ["validate", "plan"] {
        let refused = project.infra(&[verb, "--env", "dev"]).expect(1).stderr;
        assert!(refused.contains("the archive `api.tar` does not exist"), "{verb}: {refused}");
        assert!(refused.contains("environments/dev.yaml:6"), "{verb}: {refused}");
    }
}

#[test]
fn attestations_stay_at_home() {
    let project = project("", FUNCTION);
    let images = attested(&project.path().join("api.tar"), &["amd64"]);
    project.infra(&["validate", "--env", "dev"]).expect(0);
    assert_eq!(image_of_plan(&project)["after"], images[0].to_string(), "the manifest, not the index");
}

#[test]
fn several_platforms_are_pushed_as_an_index() {
    let both = ", platform: [linux/amd64, linux/arm64]";
    let project = project(both, TASK);
    let images = attested(&project.path().join("api.tar"), &["arm64", "amd64", "s390x"]);
    project.infra(&["validate", "--env", "dev"]).expect(0);
    let planned = image_of_plan(&project);
    assert_eq!(planned["platforms"], json!(["linux/amd64", "linux/arm64"]), "{planned}");
    assert!(!images.iter().any(|image| planned["after"] == image.to_string()), "{planned}");
    let human = project.infra(&["plan", "--env", "dev"]).expect(0).stdout;
    assert!(human.contains("for linux/amd64, linux/arm64: "), "{human}");
    project.infra(&["apply", "--env", "dev", "--yes"]).expect(0);
    project.infra(&["plan", "--env", "dev", "--detailed-exitcode"]).expect(0);
    // Lambda takes an image of one platform.
    let function = self::project(both, FUNCTION);
    attested(&function.path().join("api.tar"), &["arm64", "amd64"]);
    let refused = function.infra(&["validate", "--env", "dev"]).expect(1).stderr;
    assert!(refused.contains("Function takes an image of one platform"), "{refused}");
}
