#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An image is what its digests say, to the last byte, or an error; nothing of it is passed over without
# a word; and a small file does not cost minutes.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
need python3 jq gzip zstd

# Writes an OCI layout: layout.py NAME IMAGE..., of which each is a file of JSON: a list of layers, each
# {"tar": FILE, "blob": FILE of what is there under its digest, or the tar's own}.
cat >layout.py <<'END'
import hashlib, json, os, sys

def digest(data):
    return hashlib.sha256(data).hexdigest()

name, *images = sys.argv[1:]
os.makedirs(f"{name}/blobs/sha256", exist_ok=True)

def blob(data, kind, there=None):
    with open(f"{name}/blobs/sha256/{digest(data)}", "wb") as file:
        file.write(data if there is None else there)
    return {"mediaType": kind, "digest": "sha256:" + digest(data), "size": len(data)}

def read(path):
    with open(path, "rb") as file:
        return file.read()

manifests = []
for number, image in enumerate(images):
    layers, ids = [], []
    for layer in json.loads(read(image)):
        data = read(layer.get("blob", layer["tar"]))
        there = read(layer["there"]) if "there" in layer else None
        layers.append(blob(data, "application/vnd.oci.image.layer.v1.tar", there))
        ids.append("sha256:" + digest(read(layer["tar"])))
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ids},
              "config": {"Entrypoint": ["/app"], "Labels": {"number": str(number)}}}
    config = blob(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json")
    manifest = json.dumps({"schemaVersion": 2, "config": config, "layers": layers}).encode()
    manifests.append(blob(manifest, "application/vnd.oci.image.manifest.v1+json"))
with open(f"{name}/oci-layout", "w") as file:
    file.write('{"imageLayoutVersion":"1.0.0"}')
with open(f"{name}/index.json", "w") as file:
    json.dump({"schemaVersion": 2, "manifests": manifests}, file)
END
layout() {  # layout NAME JSON...
  local name="$1" i=0 json files=()
  shift
  for json; do
    echo "$json" >"$name.$((i)).json"
    files+=("$name.$((i++)).json")
  done
  python3 layout.py "$name" "${files[@]}"
}

gcc -O1 -static -o app "$SOURCE/samples/hello-c/hello.c"
gcc -O1 -o dynamic "$SOURCE/samples/hello-c/hello.c"
mkdir good bad && cp app good/app && cp dynamic bad/app
tar -C good -cf good.tar app
tar -C bad -cf bad.tar app

layout fine '[{"tar": "good.tar"}]'
expect_exit 0 "$WHITTLE" audit fine
layout evil '[{"tar": "bad.tar"}]'
expect_exit 1 "$WHITTLE" audit evil

# A layer under another's digest: in a layout, in an archive of it, in docker's.
layout swapped '[{"tar": "bad.tar", "there": "good.tar"}]'
expect_exit 4 "$WHITTLE" audit swapped
grep -q 'is not the layer that the image names' "$out" || fail "the swapped layer: $(<"$out")"
expect_exit 4 "$WHITTLE" audit --quiet swapped
tar -C swapped -cf swapped.tar .
expect_exit 4 "$WHITTLE" audit swapped.tar
# A check that depends on what could not be read fails.
expect_exit 1 "$WHITTLE" audit --require entrypoint swapped.tar
for format in sarif junit markdown json; do
  run "$WHITTLE" audit --format "$format" swapped
  grep -q 'is not the layer' "$out" || fail "$format does not say it"
done
# Not even the files of that layer that would fit are counted.
expect_exit 4 "$WHITTLE" audit --format json swapped
jq -e '.totals.static == 0 and .images[0].entrypoint.starts == "unknown" and .images[0].verified == false' "$out" \
  >/dev/null || fail "what is counted: $(jq -c '.totals, .images' "$out")"

# A manifest that was changed, and one image of two.
layout two '[{"tar": "good.tar"}]' '[{"tar": "good.tar"}]'
manifest=$(jq -r '.manifests[1].digest[7:]' two/index.json)
sed -i 's/"schemaVersion": 2/"schemaVersion": 3/' "two/blobs/sha256/$manifest"
expect_exit 4 "$WHITTLE" audit --format json two
jq -e '.totals.static == 1 and .totals.errors == 1' "$out" >/dev/null || fail "of two images: $(<"$out")"

# Streams of several members are whole; what follows a stream or an archive, or is cut off, is not.
head -c 5000 good.tar | gzip -n >members.gz && tail -c +5001 good.tar | gzip -n >>members.gz
head -c 5000 good.tar | zstd -q >frames.zst && tail -c +5001 good.tar | zstd -q >>frames.zst
for blob in members.gz frames.zst; do
  layout "whole-$blob" "[{\"tar\": \"good.tar\", \"blob\": \"$blob\"}]"
  expect_exit 0 "$WHITTLE" audit "whole-$blob"
done
gzip -nc good.tar >good.gz
cat good.gz <(echo more) >more.gz
head -c -9 good.gz >cut.gz
cat good.tar bad.tar >twice.tar
head -c 20000 good.tar >cut.tar
for blob in more.gz cut.gz twice.tar cut.tar; do
  tar=good.tar
  [[ $blob != *.tar ]] || tar=$blob
  layout "odd-$blob" "[{\"tar\": \"$tar\", \"blob\": \"$blob\"}]"
  expect_exit 4 "$WHITTLE" audit "odd-$blob"
done

# The last of 300 images.
images=()
for ((i = 0; i < 299; i++)); do images+=('[{"tar": "good.tar"}]'); done
layout many "${images[@]}" '[{"tar": "bad.tar"}]'
expect_exit 1 "$WHITTLE" audit --format json many
jq -e '.totals.files == 300 and .totals.not_static == 1 and (.images | length) == 300' "$out" >/dev/null ||
  fail "of 300 images: $(jq -c .totals "$out")"

# 64 GB of zeroes in a file that begins like a program: refused by what its header says.
python3 - <<'END'
import io, tarfile
info = tarfile.TarInfo("app")
info.size, info.mode = 64 << 30, 0o755
with open("bomb.head", "wb") as file:
    file.write(info.tobuf(tarfile.GNU_FORMAT) + b"\x7fELF")
END
{ cat bomb.head; head -c 300000000 /dev/zero; } | gzip -1n >bomb.gz
layout bomb '[{"tar": "bomb.head", "blob": "bomb.gz"}]'
expect_exit 3 timeout 60 prlimit --as=700000000 "$WHITTLE" audit bomb
grep -q 'has an entry of 68719476736 bytes' "$out" || fail "the bomb: $(<"$out")"
