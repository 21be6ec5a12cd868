#!/usr/bin/env python3
"""Makes apps/example-image.tar: an OCI archive of an image that holds one file.

`environments/local.yaml` lets it stand in for the applications' images where they cannot be built. It is the same,
byte by byte, every time:

    python3 apps/example-image.py
"""

import gzip
import hashlib
import io
import json
import pathlib
import tarfile

TARGET = pathlib.Path(__file__).with_name("example-image.tar")
NOTE = b"""An example image: it holds this file and runs nothing.

It stands in for an application whose image could not be built, in an environment that lives on the AWS embedded in infra.
"""  # noqa: E501


def tar(files):
    """A tar archive of these files, without owners and times."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def blob(content):
    digest = hashlib.sha256(content).hexdigest()
    return digest, (f"blobs/sha256/{digest}", content)


def descriptor(kind, content, digest):
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}


def document(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def image():
    layer = tar([("README", NOTE)])
    packed = gzip.compress(layer, mtime=0)
    config = document(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"org.opencontainers.image.title": "example"}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    )
    (layer_digest, layer_file), (config_digest, config_file) = blob(packed), blob(config)
    manifest = document(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor("config.v1+json", config, config_digest),
            "layers": [descriptor("layer.v1.tar+gzip", packed, layer_digest)],
        }
    )
    manifest_digest, manifest_file = blob(manifest)
    index = document({"schemaVersion": 2, "manifests": [descriptor("manifest.v1+json", manifest, manifest_digest)]})
    layout = document({"imageLayoutVersion": "1.0.0"})
    return tar([("oci-layout", layout), ("index.json", index), config_file, layer_file, manifest_file])


def main():
    TARGET.write_bytes(image())
    print(f"{TARGET}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
