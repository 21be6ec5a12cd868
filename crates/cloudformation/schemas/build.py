#!/usr/bin/env python3
"""Builds provider.bin: the facts of CloudFormation's registry schemas, as the crate embeds them.

    pip download cfn-lint==1.58.0 --no-deps && pip install zstandard==0.25.0
    python build.py cfn_lint-1.58.0-py3-none-any.whl [provider.bin]

The wheel (MIT-0) carries the registry schemas of every region, corrected where the registry is known to be wrong, and
constraints across properties that the registry cannot express; `constraints.json` says which of those are taken and
where they hold. Only facts are kept: descriptions, titles, examples and links are dropped. The same wheel and the same
zstandard give the same bytes.

Layout, all integers little endian:
    "CFNSCHM1"
    u32 length, then zstd: provenance (one line of JSON), then the index: one line an entry, sorted by name,
                           name TAB block TAB offset TAB length TAB extras (constraint entries, comma separated)
    u32 length, then zstd: the dictionary that all blocks share
    u32 number of blocks, then for each: u32 compressed length, u32 plain length; then the blocks
An entry is minified JSON. A resource type's entry has the type's name and two lines: what the registry says about the
type, and the schema of its properties. A constraint's entry has `#` and its rule for a name.
"""

import ast
import hashlib
import json
import struct
import sys
import zipfile

import zstandard

VERSION = "1.58.0"
SHA256 = "9d9f06043160756a6158f5c3f92a44ce38254b1c578127461608305bc8262987"
REGION = "us-east-1"
BLOCK_BYTES = 32 * 1024
DICTIONARY_BYTES = 110 * 1024
ROOT = "cfnlint/data/schemas/"

PROSE = {"$comment", "$id", "$schema", "description", "documentationUrl", "examples", "markdownDescription",
         "resourceLink", "sourceUrl", "title", "typeConfiguration"}
NAMED = {"definitions", "dependentSchemas", "patternProperties", "properties"}
# What the registry says about a type as a whole.
ABOUT = ["additionalIdentifiers", "conditionalCreateOnlyProperties", "createOnlyProperties", "deprecatedProperties",
         "handlers", "lifecycle", "primaryIdentifier", "propertyTransform", "readOnlyProperties", "readableProperties",
         "replacementStrategy", "taggable", "tagging", "typeName", "writeOnlyProperties"]
# Under these keys stand values, not schemas: they are kept as they are.
VALUES = {"const", "default", "enum", "enumCaseInsensitive", "propertyTransform"}


def facts(schema):
    """A schema without prose, keys sorted."""
    if isinstance(schema, list):
        return [facts(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {}
    for key, value in sorted(schema.items()):
        if key in VALUES:
            kept[key] = value
        elif key == "dependencies":
            # Draft 7 has one keyword for what later drafts tell apart.
            lists = {name: needs for name, needs in sorted(value.items()) if isinstance(needs, list)}
            schemas = {name: facts(needs) for name, needs in sorted(value.items()) if not isinstance(needs, list)}
            if lists:
                kept["dependentRequired"] = {**lists, **schema.get("dependentRequired", {})}
            if schemas:
                kept["dependentSchemas"] = schemas
        elif key in PROSE and isinstance(value, (str, dict, list)):
            continue
        elif key in NAMED and isinstance(value, dict):
            kept[key] = {name: facts(inner) for name, inner in sorted(value.items())}
        else:
            kept[key] = facts(value)
    return kept


def embed(schema, prefix, names):
    """A document moved below `prefix` of another: its references follow."""
    if isinstance(schema, list):
        return [embed(item, prefix, names) for item in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {}
    for key, value in schema.items():
        if key == "$ref" and isinstance(value, str):
            document, pointer = value.split("#", 1)
            moved[key] = "#" + (f"/definitions/{document}" if document in names else prefix) + pointer
        else:
            moved[key] = embed(value, prefix, names)
    return moved


def constants(source, *names):
    """Literal values of module-level names, without running the module."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in names:
            found[node.targets[0].id] = ast.literal_eval(node.value)
    return [found[name] for name in names]


def minified(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def resource_entry(schema, all_readable, extra_readable):
    entry = facts(schema)
    name = entry["typeName"]
    entry["handlers"] = sorted(schema.get("handlers", {}))
    if name in all_readable:
        entry["readableProperties"] = ["*"]
    elif name in extra_readable:
        entry["readableProperties"] = extra_readable[name]
    # What is about values is the schema; both are read, each once.
    about = {key: entry.pop(key) for key in ABOUT if key in entry}
    return minified(about) + b"\n" + minified(entry)


def constraint_entry(read, constraint):
    schema = read(constraint["schema"])
    if constraint.get("regional"):
        schema = schema[REGION]
    others = {path.rsplit("/", 1)[1].removesuffix(".json"): read(path) for path in constraint.get("with", [])}
    schema = embed(schema, "", others)
    for name, document in others.items():
        schema.setdefault("definitions", {})[name] = embed(document, f"/definitions/{name}", others)
    kept = {key: value for key, value in constraint.items() if key not in ("schema", "with")}
    return {**kept, "schema": facts(schema)}


def main(wheel, target="provider.bin"):
    with open(wheel, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    if digest != SHA256:
        sys.exit(f"{wheel} is not cfn-lint {VERSION}: sha256 {digest}")
    archive = zipfile.ZipFile(wheel)
    read = lambda path: json.loads(archive.read(ROOT + path))
    with open(__file__.rsplit("/", 1)[0] + "/constraints.json" if "/" in __file__ else "constraints.json") as file:
        constraints = json.load(file)
    all_readable, extra_readable = constants(
        archive.read("cfnlint/schema/_getatts.py").decode(), "_all_property_types", "_exceptions"
    )

    entries, extras = {}, {}
    for name, file in read(f"providers/{REGION}.json").items():
        entries[name] = resource_entry(read(f"resources/{file}.json"), set(all_readable), extra_readable)
    for constraint in constraints:
        name = "#" + constraint["rule"]
        entries[name] = minified(constraint_entry(read, constraint))
        for place in constraint["at"]:
            extras.setdefault(place.split("/")[0], set()).add(name)
    entries["#UpdatePolicy"] = minified(facts(read("other/resources/update_policy.json")))
    entries["#CfnInit"] = minified(facts(read("other/resources/cfn_init.json")))

    blocks, index, block = [], [], b""
    for name, entry in sorted(entries.items()):
        if block and len(block) + len(entry) > BLOCK_BYTES:
            blocks.append(block)
            block = b""
        more = ",".join(sorted(extras.get(name, ())))
        index.append(f"{name}\t{len(blocks)}\t{len(block)}\t{len(entry)}\t{more}")
        block += entry
    blocks.append(block)

    samples = [entry for name, entry in sorted(entries.items()) if not name.startswith("#")]
    dictionary = zstandard.train_dictionary(DICTIONARY_BYTES, samples, threads=1).as_bytes()
    plain = zstandard.ZstdCompressor(level=22, write_content_size=True)
    shared = zstandard.ZstdCompressor(
        level=22, write_content_size=True, dict_data=zstandard.ZstdCompressionDict(dictionary)
    )
    provenance = {
        "package": "cfn-lint",
        "version": VERSION,
        "sha256": SHA256,
        "schema_date": read("version.json")["schema_date"],
        "region": REGION,
        "resource_types": len(samples),
        "license": "MIT-0",
    }
    head = plain.compress(minified(provenance) + b"\n" + "\n".join(index).encode())
    words = plain.compress(dictionary)
    packed = [shared.compress(block) for block in blocks]
    with open(target, "wb") as file:
        file.write(b"CFNSCHM1")
        file.write(struct.pack("<I", len(head)) + head)
        file.write(struct.pack("<I", len(words)) + words)
        file.write(struct.pack("<I", len(packed)))
        for compressed, block in zip(packed, blocks):
            file.write(struct.pack("<II", len(compressed), len(block)))
        for compressed in packed:
            file.write(compressed)
        size = file.tell()
    largest = sorted(((len(entry), name) for name, entry in entries.items()), reverse=True)[:5]
    print(f"{len(samples)} types, {len(constraints)} constraints, {len(blocks)} blocks, {size} bytes; largest: {largest}")


if __name__ == "__main__":
    main(*sys.argv[1:])
