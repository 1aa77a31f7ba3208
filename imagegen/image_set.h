// SPDX-License-Identifier: MIT
//
// Existing images: an OCI layout, an archive of one, an archive of `docker save`, or skopeo's
// `dir:`. Nothing in them is trusted: each document and each layer is compared with the digest and
// size that name it.
// Sources: OCI image-spec, image-layout.md, image-index.md, manifest.md, config.md; Docker Image
// Specification 1.2 (manifest.json); containers/image, directory transport.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/run_config.h"
#include "imagegen/image_store.h"
#include "imagegen/layer_contents.h"

namespace whittle::imagegen {

// A layer as an image names it.
struct LayerClaim {
  std::string name;                   // in the store
  std::string digest;                 // of the blob; empty if unknown
  std::optional<std::uint64_t> size;  // of the blob, bytes
  std::string diff_id;                // of the tar in it; empty if unknown
};

struct FoundImage {
  std::string label;              // unique among the images: "linux/arm64"; empty for a single one
  std::string digest;             // of its manifest; empty in docker archives
  std::vector<std::string> tags;  // "v1"; in docker archives "app:v1"
  std::string platform;           // "linux/arm64/v8", as its config says it
  bool is_config_known = false;   // if not, all of `run` is empty
  RunConfig run;
  std::vector<LayerClaim> layers;  // the lowest first
  bool is_absent = false;          // an index names it, but its manifest is missing
  // What is wrong with its manifest, its config, or a layer that is not a tar; by what it concerns.
  std::vector<std::pair<std::string, Error>> problems;
};

class ImageSet {
 public:
  // Null for a path that holds no image. Throws Error{corrupt} where the outermost document is
  // damaged, Error{refused} for more than 10,000 images or 100,000 layers, and what open_store
  // throws. What is wrong with one image of several becomes a problem of that image. Writers wait
  // while an ImageSet of their layout exists.
  static std::unique_ptr<ImageSet> open(const std::filesystem::path& path);

  // In the order of the index. An image with several names is listed once.
  const std::vector<FoundImage>& images() const { return images_; }

  // Whether reading the layers of all images at once costs less.
  bool is_sequential() const { return store_->is_sequential(); }

  // Reads layers by their names in the store; missing ones are skipped. A layer whose size no image
  // names is not read: only its size is returned.
  using Take = std::function<void(const std::string& name, LayerContents)>;
  using Begin = std::function<LayerVisitor(const std::string& name)>;
  void read_layers(const std::set<std::string>& names, const Begin& begin, const Take& take);

 private:
  ImageSet(std::unique_ptr<ImageStore> store, std::string path, std::vector<FoundImage> images)
      : store_(std::move(store)), path_(std::move(path)), images_(std::move(images)) {}

  std::unique_ptr<ImageStore> store_;
  std::string path_;
  std::vector<FoundImage> images_;
  LayerReader reader_;
};

// Why the contents are not those of the layer that the image names, or why they are incomplete;
// nothing if they match.
std::optional<Error> check_layer(const LayerClaim& claim, const LayerContents& contents);

}  // namespace whittle::imagegen
