// SPDX-License-Identifier: MIT
//
// index.json of an OCI layout, and what becomes of it when an image is added. Documents in,
// documents out: the files are layout.cc's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "imagegen/image.h"
#include "imagegen/manifest.h"

namespace whittle::imagegen {

// "application/vnd.oci.image.index.v1+json" and Docker's name for the same.
bool is_index_type(const Json& descriptor);
// "application/vnd.oci.image.manifest.v1+json" and Docker's name for the same.
bool is_manifest_type(const Json& descriptor);

// The member's text, or empty where it is missing or no text.
std::string text_member(const Json& object, std::string_view key);

// Returns the document that a descriptor leads to. May throw.
using DocumentReader = std::function<Json(const Json& descriptor)>;

struct LayoutChange {
  Bytes index;                     // index.json with the image in it
  std::optional<Blob> platforms;   // an image index to write, where the name has several platforms
  std::vector<Json> replaced;      // the descriptors that the name led to before
  std::vector<std::string> notes;  // what the user should know about names
};

// Adds an image to index.json. Names are compared whole. A name that is new is added. Under a name
// that is there, the image replaces the one for its platform and is put beside those for others, in
// an image index. Other descriptors stay, whatever is in them.
//
// `index` has a list "manifests"; `path` is for messages. Throws Error{refused} where the name
// leads to something that is for no platform, Error{malformed} for an image index without children,
// and what `read` throws.
LayoutChange add_to_index(Json index, const Image& image, const DocumentReader& read,
                          const std::string& path);

}  // namespace whittle::imagegen
