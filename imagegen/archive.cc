// SPDX-License-Identifier: MIT
//
// One file for every reader. `docker save` and OCI each have an archive of their own; docker 20.10
// loads only the first, umoci and newer tools want the second. The two do not exclude each other
// (`docker save` writes both in one since version 25):
// an OCI layout in a tar, with docker's manifest.json beside index.json, whose paths lead into
// blobs/sha256/. Nothing is stored twice.
//
// The small documents come first, so that a reader of a stream knows early what it has.
//
// A zstd layer stays in manifest.json: docker 20.10 and podman load and run it (tried
// with 20.10.24).
#include "common/file.h"
#include "imagegen/image.h"
#include "imagegen/manifest.h"
#include "imagegen/stream.h"

namespace whittle::imagegen {

std::uint64_t write_archive(const Image& image, const std::filesystem::path& path) {
  constexpr std::uint32_t kFileMode = 0644, kFolderMode = 0755;
  AtomicFile file(path, kFileMode);
  std::uint64_t written = 0;
  const auto write = [&](ByteView piece) {
    file.write(piece);
    written += piece.size();
  };
  TarWriter tar(write, image.created);
  tar.add_file("oci-layout", as_bytes(kLayoutMarker), kFileMode);
  tar.add_file("index.json", as_bytes(make_index(image).dump()), kFileMode);
  tar.add_file("manifest.json", as_bytes(docker_manifest(image).dump()), kFileMode);
  tar.add_folder("blobs", kFolderMode);
  tar.add_folder("blobs/sha256", kFolderMode);
  for (const Blob* blob : {&image.manifest, &image.config, &image.layer}) {
    tar.add_file(blob_path(*blob), blob->bytes, kFileMode);
  }
  tar.finish();
  file.commit();
  return written;
}

}  // namespace whittle::imagegen
