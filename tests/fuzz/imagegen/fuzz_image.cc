// SPDX-License-Identifier: MIT
//
// Any bytes are a layer or have an error, and any layers make a tree. The first byte says where the
// rest is cut into two layers.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "common/error.h"
#include "imagegen/image_tree.h"
#include "imagegen/layer_contents.h"

namespace {

using namespace whittle;
using namespace whittle::imagegen;

ByteSource source_of(ByteView bytes) {
  return [bytes, at = std::size_t{0}](std::span<std::uint8_t> buffer) mutable {
    const std::size_t n = std::min(buffer.size(), bytes.size() - at);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), n, buffer.begin());
    at += n;
    return n;
  };
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  const std::size_t half = bytes.size() * data[0] / 256;
  const LayerVisitor visitor{
      .keeps = [](const std::string& path) { return path.ends_with("/passwd"); },
      .take = [](std::size_t, const LayerEntry&, const Bytes&) {}};
  LayerReader reader({.free = 1 << 20, .times = 50}, 4 << 20);
  ImageTree tree;
  for (const ByteView part : {bytes.first(half), bytes.subspan(half)}) {
    const LayerContents layer = reader.read(source_of(part), part.size(), "layer", visitor);
    if (layer.size != part.size() || layer.digest.empty()) std::abort();
    tree.apply(layer, [](const std::string&, const Error&) {});
  }
  tree.for_each(
      [&](const std::string& path, const TreeEntry& entry, ImageTree::Origin, const Error*) {
        // Everything that is there is found by its name.
        const auto found = tree.find(path);
        if (!found || found->type != entry.type) std::abort();
        resolve(tree, path);
        tree.read(path, 256);
      });
  return 0;
}
