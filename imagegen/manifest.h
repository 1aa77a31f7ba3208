// SPDX-License-Identifier: MIT
//
// The JSON documents of an image. Members are in the order of the specification and values come
// from the spec alone: the same image gives the same bytes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "imagegen/image.h"
#include "imagegen/layer.h"

namespace whittle::imagegen {

using Json = nlohmann::ordered_json;

inline constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kConfigType = "application/vnd.oci.image.config.v1+json";
// The content of the file "oci-layout".
inline constexpr std::string_view kLayoutMarker = R"({"imageLayoutVersion":"1.0.0"})";
// The annotations in index.json by which readers find an image: the first by umoci and skopeo, the
// second, which holds the whole name, by podman and containerd.
inline constexpr std::string_view kRefName = "org.opencontainers.image.ref.name";
inline constexpr std::string_view kContainerdName = "io.containerd.image.name";

// Seconds since 1970 as RFC 3339 in UTC.
std::string format_time(std::int64_t seconds);

Blob make_config(const ImageSpec& spec, const Layer& layer);
Blob make_manifest(const ImageSpec& spec, const Blob& config, const Blob& layer);

// The image as index.json lists it: digest, platform, and the names that readers look for.
Json index_descriptor(const Image& image);
Json make_index(const Image& image);

// manifest.json of a `docker load` archive, its paths leading into the OCI layout's blobs.
Json docker_manifest(const Image& image);

// The JSON text of a document, as it is written everywhere.
Bytes serialise(const Json& json);

// Media type, digest and size of a blob.
Json descriptor_of(const Blob& blob);

// "sha256:abc…" → "blobs/sha256/abc…"
std::string blob_path(const Blob& blob);

}  // namespace whittle::imagegen
