#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Whether an image starts, by `whittle audit`, is whether runc starts it: by PATH and working directory,
# through links, with interpreters and libraries, for users by name and by number.
source "${SOURCE:?}/tests/e2e/common.inc" || exit
source "$SOURCE/tests/e2e/image.inc"
need jq gcc umoci runc python3 busybox tar
[[ $EUID -eq 0 ]] || skip "runc needs root"

echo 'int main(void) { return 0; }' >main.c
gcc -O1 -static -o app main.c
gcc -O1 -o dynamic main.c
# Not busybox's, which has programs of its own that are in no PATH.
printf '#include <unistd.h>\nint main(int c, char **v) { execvp(v[1], v + 1); return 127; }\n' >env.c
gcc -O1 -static -o env env.c
shell=$(readlink -f "$(command -v busybox)")
loader=$(readelf -l dynamic | sed -n 's/.*interpreter: \(.*\)]/\1/p')
libc=$(ldd dynamic | sed -n 's/.*libc\.so\.6 => \([^ ]*\) .*/\1/p')

# layout.py NAME ROOTFS CONFIG: an OCI layout of one image.
cat >layout.py <<'END'
import hashlib, io, json, os, sys, tarfile
name, root, run = sys.argv[1:]
os.makedirs(f"{name}/blobs/sha256")
out = io.BytesIO()
with tarfile.open(fileobj=out, mode="w") as tar:
    tar.add(root, arcname=".")
def blob(data, kind):
    hex = hashlib.sha256(data).hexdigest()
    with open(f"{name}/blobs/sha256/{hex}", "wb") as file:
        file.write(data)
    return {"mediaType": kind, "digest": "sha256:" + hex, "size": len(data)}
layer = blob(out.getvalue(), "application/vnd.oci.image.layer.v1.tar")
config = blob(json.dumps({"architecture": "amd64", "os": "linux", "config": json.loads(run),
                          "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}).encode(),
              "application/vnd.oci.image.config.v1+json")
manifest = blob(json.dumps({"schemaVersion": 2, "config": config, "layers": [layer]}).encode(),
                "application/vnd.oci.image.manifest.v1+json")
manifest["annotations"] = {"org.opencontainers.image.ref.name": "1"}
with open(f"{name}/oci-layout", "w") as file:
    file.write('{"imageLayoutVersion":"1.0.0"}')
with open(f"{name}/index.json", "w") as file:
    json.dump({"schemaVersion": 2, "manifests": [manifest]}, file)
END

number=0
begin() { rm -rf root && mkdir root; }
put() {  # put FILE PATH [MODE]
  mkdir -p "root$(dirname "$2")"
  cp "$1" "root$2"
  chmod "${3:-755}" "root$2"
}
script() {  # script PATH LINE
  mkdir -p "root$(dirname "$1")"
  printf '%b\nexit 0\n' "$2" >"root$1"
  chmod 755 "root$1"
}
expect() {  # expect ANSWER CONFIG: what both say of the image of root
  local name="image$((number++))" said="no" found
  chmod 755 root
  python3 layout.py "$name" root "$2"
  run "$WHITTLE" audit --format json "$name"
  found=$(jq -r '.images[0].entrypoint.starts' "$out")
  [[ "$found" == "$1" ]] || fail "audit says $found, not $1, of $2: $(jq -c '.images[0].entrypoint' "$out")"
  if (run_in_runc "$name:1") >"$scratch/.ran" 2>&1; then said=yes; fi
  [[ "$said" == "$1" ]] || fail "runc says $said, not $1, of $2: $(<"$scratch/.ran")"
}

begin; put app /app
expect yes '{"Entrypoint": ["/app"]}'
expect yes '{"Cmd": ["/app"]}'
expect no '{"Entrypoint": ["/other"]}'
expect no '{"Entrypoint": ["/"]}'
expect yes '{"Entrypoint": ["./app"], "WorkingDir": "/"}'
expect yes '{"Entrypoint": ["/app"], "User": "1000:1000"}'
expect no '{"Entrypoint": ["/app"], "User": "somebody"}'
chmod 644 root/app
expect no '{"Entrypoint": ["/app"]}'
chmod 700 root/app
expect yes '{"Entrypoint": ["/app"]}'
expect no '{"Entrypoint": ["/app"], "User": "1000"}'
chown 1000 root/app
expect yes '{"Entrypoint": ["/app"], "User": "1000"}'
mkdir root/etc && echo 'me:x:1000:50::/:' >root/etc/passwd
expect yes '{"Entrypoint": ["/app"], "User": "me"}'
expect no '{"Entrypoint": ["/app"], "User": "me:staff"}'
chown 0:50 root/app && chmod 710 root/app
expect yes '{"Entrypoint": ["/app"], "User": "me"}'
expect no '{"Entrypoint": ["/app"], "User": "me:51"}'

begin; put app /private/app; chmod 700 root/private
expect yes '{"Entrypoint": ["/private/app"]}'
expect no '{"Entrypoint": ["/private/app"], "User": "1000"}'

begin; put app /usr/bin/app; ln -s usr/bin root/bin; ln -s /bin/app root/link; ln -s loop root/loop
expect yes '{"Entrypoint": ["/bin/app"], "User": "1000"}'
expect yes '{"Entrypoint": ["/link"]}'
expect no '{"Entrypoint": ["/loop"]}'
expect yes '{"Entrypoint": ["app"], "Env": ["PATH=/none:/bin"]}'
expect no '{"Entrypoint": ["app"], "Env": ["PATH=/none"]}'
expect yes '{"Entrypoint": ["bin/app"], "WorkingDir": "/usr"}'

begin; script /run '#!/bin/sh'
expect no '{"Entrypoint": ["/run"]}'
put "$shell" /bin/sh
expect yes '{"Entrypoint": ["/run"]}'
script /run '#!/bin/sh\r'
expect no '{"Entrypoint": ["/run"]}'
script /run '#!/usr/bin/env sh'
expect no '{"Entrypoint": ["/run"], "Env": ["PATH=/bin"]}'
put env /usr/bin/env
expect yes '{"Entrypoint": ["/run"], "Env": ["PATH=/bin"]}'
expect no '{"Entrypoint": ["/run"], "Env": ["PATH=/none"]}'
script /run 'no script at all'
expect no '{"Entrypoint": ["/run"]}'
for ((i = 0; i < 7; i++)); do script "/s$i" "#!$( ((i > 0)) && echo "/s$((i - 1))" || echo /bin/sh)"; done
expect yes '{"Entrypoint": ["/s4"]}'
expect no '{"Entrypoint": ["/s6"]}'

begin; put dynamic /app
expect no '{"Entrypoint": ["/app"]}'
put "$loader" "$loader"
expect no '{"Entrypoint": ["/app"]}'
put "$libc" /usr/lib/libc.so.6 644
expect yes '{"Entrypoint": ["/app"], "User": "1000"}'
chmod 644 "root$loader"
expect no '{"Entrypoint": ["/app"]}'
