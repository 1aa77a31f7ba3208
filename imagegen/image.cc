// SPDX-License-Identifier: MIT
#include "imagegen/image.h"

#include <utility>

#include "imagegen/layer.h"
#include "imagegen/manifest.h"
#include "imagegen/reference.h"
#include "imagegen/rootfs.h"
#include "imagegen/spec.h"

namespace whittle::imagegen {

std::string_view name(Compression compression) {
  return compression == Compression::gzip ? "gzip" : "zstd";
}

Image build_image(const ImageSpec& spec) {
  const Reference reference = parse_reference(spec.tag);
  const std::vector<RootEntry> root = make_root(spec);
  check_spec(spec, root);

  Image image;
  image.reference = reference.familiar;
  image.platform = "linux/" + spec.architecture;
  if (!spec.variant.empty()) image.platform += '/' + spec.variant;
  Layer layer = make_layer(root, spec.compression, spec.created);
  image.config = make_config(spec, layer);
  image.manifest = make_manifest(spec, image.config, layer.blob);
  image.diff_id = std::move(layer.diff_id);
  image.layer_tar_size = layer.tar_size;
  image.layer = std::move(layer.blob);
  image.created = spec.created;
  image.warnings = find_surprises(spec, root);
  return image;
}

std::uint64_t layer_size(const ImageSpec& spec, ByteView program, Compression compression) {
  std::vector<RootEntry> root = make_root(spec);
  const std::string path = normalise_path(spec.files.at(0).path).substr(1);
  for (RootEntry& entry : root) {
    if (entry.path == path) entry.content = program;
  }
  return make_layer(root, compression, spec.created).blob.bytes.size();
}

}  // namespace whittle::imagegen
