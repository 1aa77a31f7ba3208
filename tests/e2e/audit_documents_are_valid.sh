#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `whittle audit` writes for other tools is valid by the schemas that their makers publish; SPDX by
# one of our own that is narrower than SPDX's (see spdx.schema.json), which no package brings.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need npm python3 gcc go objcopy
python3 -c 'import jsonschema' 2>/dev/null || skip "there is no python3-jsonschema"
corpus @microsoft/jest-sarif lib/schemas/sarif-2.1.0-rtm.5.json
sarif_schema="$original"
corpus @cyclonedx/cyclonedx-library res/schema
cyclonedx_schemas="$original"

mkdir files
gcc -o files/dynamic "$SOURCE/samples/hello-c/hello.c"
gcc -static -w -o "files/static ü#1" "$SOURCE/tests/unit/analyzer/fixtures/needs/resolver.c" 2>/dev/null
(cd "$SOURCE/samples/hello-http" && CGO_ENABLED=0 go build -buildvcs=false -o "$scratch/files/go" .)
printf '\177ELF damaged' >files/damaged
python3 -c 'import sys, zlib; sys.stdout.buffer.write(zlib.compress(sys.argv[1].encode()))' >crates \
  '{"packages":[{"name":"a","version":"1.0.0","source":"local"},{"name":"cc","version":"2.0.0","kind":"build"}]}'
cat >rust.c <<'END'
__attribute__((used)) static const char path[] = "/cargo/registry/src/x/memchr-2.7.4/src/lib.rs";
int main(void) { return 0; }
END
gcc -static -o rust rust.c
objcopy --add-section .dep-v0=crates rust files/rust
"$WHITTLE" pack --quiet files/rust -o files/packed

document() { expect_exit 1 "$WHITTLE" audit --format "$1" --require static,no-needs files && cp "$out" "$1"; }
for format in sarif junit cyclonedx spdx json; do document "$format"; done
mkdir nothing
expect_exit 0 "$WHITTLE" audit --format sarif nothing && cp "$out" sarif_of_nothing
expect_exit 1 "$WHITTLE" audit --format sarif --require static nothing && cp "$out" sarif_of_no_check

python3 -W ignore - "$sarif_schema" "$cyclonedx_schemas" "$SOURCE/tests/e2e/spdx.schema.json" <<'PY'
import json, pathlib, sys
import xml.etree.ElementTree as ElementTree
import jsonschema

load = lambda path: json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
schemas = pathlib.Path(sys.argv[2])
store = {}
for name in ("spdx", "jsf-0.82"):
    schema = load(schemas / f"{name}.SNAPSHOT.schema.json")
    for key in (schema["$id"], f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json"):
        store[key] = schema

def check(document, schema):
    name = schema.get("$id", schema.get("id", ""))
    resolver = jsonschema.RefResolver(name, schema, store={**store, name: schema})
    errors = list(jsonschema.validators.validator_for(schema)(schema, resolver=resolver).iter_errors(document))
    for error in errors:
        print("/".join(map(str, error.absolute_path)), error.message[:200])
    return errors

sarif, bom = load("sarif"), load("cyclonedx")
assert len(sarif["runs"][0]["results"]) > 4 and len(bom["components"]) > 3
bad = check(sarif, load(sys.argv[1]))
bom_schema = load(schemas / "bom-1.5.SNAPSHOT.schema.json")
bad += check(bom, bom_schema)
for name, level in ("sarif_of_nothing", "none"), ("sarif_of_no_check", "error"):
    bad += check(load(name), load(sys.argv[1]))
    assert [result["level"] for result in load(name)["runs"][0]["results"]] == [level]
sarif["runs"][0]["results"][0]["level"] = "terrible"
assert check(sarif, load(sys.argv[1])), "the SARIF schema takes anything"
bom["components"][0]["type"] = "terrible"
assert check(bom, bom_schema), "the CycloneDX schema takes anything"

spdx, spdx_schema = load("spdx"), load(sys.argv[3])
bad += check(spdx, spdx_schema)
ids = [package["SPDXID"] for package in spdx["packages"]]
assert len(ids) == len(set(ids)) > 5
for relationship in spdx["relationships"]:
    for end in (relationship["spdxElementId"], relationship["relatedSpdxElement"]):
        assert end == "SPDXRef-DOCUMENT" or end in ids, end
assert {r["relationshipType"] for r in spdx["relationships"]} == {
    "DESCRIBES", "CONTAINS", "DEPENDS_ON", "BUILD_DEPENDENCY_OF"}
for member in ("name", "downloadLocation", "SPDXID"):
    wrong = json.loads(json.dumps(spdx))
    del wrong["packages"][0][member]
    assert check(wrong, spdx_schema), f"the SPDX schema takes a package without {member}"
assert not bad

cases = ElementTree.parse("junit").getroot().findall("testsuite/testcase")
assert len(cases) == 6 and sum(c.find("error") is not None for c in cases) == 1
packages = {p["name"] for p in load("spdx")["packages"]}
assert {"stdlib", "files/go", "libc.so.6", "memchr", "cc"} <= packages, packages
PY

# The modules are those that Go itself prints.
go version -m files/go | awk '$1 == "dep" || $1 == "mod" { print $2 }' | sort >go_modules
jq -r '.components[] | .purl // empty | select(startswith("pkg:golang/")) | sub("^pkg:golang/"; "") |
  sub("@.*"; "") | select(. != "stdlib")' cyclonedx | sort >our_modules
same go_modules our_modules "modules differ from those of go version -m"
