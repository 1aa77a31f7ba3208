// SPDX-License-Identifier: MIT
//
// A layer has two names: the config lists the digest of the tar (`diff_id`: what will be on disk,
// however it travelled), the manifest the digest of the compressed blob (what travels). Both come
// from one pass: the tar is hashed and compressed as it is written and never held as a whole.
// Source: OCI image-spec, layer.md and config.md.
#include "imagegen/layer.h"

#include <utility>

#include "common/digest.h"
#include "imagegen/stream.h"

namespace whittle::imagegen {
namespace {

constexpr std::string_view kGzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip";
constexpr std::string_view kZstdLayer = "application/vnd.oci.image.layer.v1.tar+zstd";

std::string digest_name(const Sha256Digest& digest) { return "sha256:" + to_hex(digest); }

void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

}  // namespace

Blob make_blob(std::string media_type, Bytes bytes) {
  std::string digest = digest_name(sha256(bytes));
  return {std::move(media_type), std::move(digest), std::move(bytes)};
}

Layer make_layer(const std::vector<RootEntry>& root, Compression compression, std::int64_t mtime) {
  Layer layer;
  Bytes compressed;
  Sha256 tar_digest;
  Compressor compressor([&](ByteView piece) { append(compressed, piece); }, compression);
  TarWriter tar(
      [&](ByteView piece) {
        tar_digest.update(piece);
        layer.tar_size += piece.size();
        compressor.write(piece);
      },
      mtime);
  for (const RootEntry& entry : root) {
    if (entry.is_folder) {
      tar.add_folder(entry.path, entry.mode, entry.owner);
    } else if (!entry.target.empty()) {
      tar.add_link(entry.path, entry.target, entry.owner);
    } else {
      tar.add_file(entry.path, entry.content, entry.mode, entry.owner);
    }
  }
  tar.finish();
  compressor.finish();
  layer.diff_id = digest_name(tar_digest.finish());
  layer.blob = make_blob(std::string(compression == Compression::gzip ? kGzipLayer : kZstdLayer),
                         std::move(compressed));
  return layer;
}

}  // namespace whittle::imagegen
