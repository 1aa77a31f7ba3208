// SPDX-License-Identifier: MIT
//
// The OCI nouns that whittle needs: a root filesystem of a few files, the one layer that holds it,
// and the config and manifest that name it by digest. Digests are computed once, here, and carried.
// Source: OCI Image Format Specification 1.0.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"

namespace whittle::imagegen {

enum class Compression { gzip, zstd };
std::string_view name(Compression compression);

// Whose a file is, by number: names would need an /etc/passwd that the image may not have.
struct Owner {
  std::uint32_t user = 0, group = 0;
  bool operator==(const Owner&) const = default;
};

// What the image has in its root filesystem. Paths are absolute inside the image, without "..";
// folders above them are made as needed, with mode 0755 and owner 0:0.
struct RootFile {
  std::string path;
  Bytes content;
  std::uint32_t mode = 0644;
  Owner owner = {};
};
struct RootFolder {
  std::string path;
  std::uint32_t mode = 0755;
  Owner owner = {};
};
struct RootLink {  // symbolic
  std::string path;
  std::string target;  // as it is to be, relative to the link's folder or absolute in the image
  Owner owner = {};
};

struct ImageSpec {
  // "linux/amd64" and so on as GOARCH spells it; see architecture_of.
  std::string architecture;
  std::string variant;          // "v8" for arm64, else empty
  std::vector<RootFile> files;  // the executable is one of them
  std::vector<RootFolder> folders;
  std::vector<RootLink> links;
  std::vector<std::string> entrypoint, cmd;
  std::vector<std::string> env;  // "NAME=VALUE"
  std::string working_dir = "/";
  std::string user = "65532:65532";        // numeric: names need an /etc/passwd
  std::vector<std::string> exposed_ports;  // "8080/tcp"
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;  // on the manifest
  std::string tag = "latest";  // "name:tag" as docker spells it, e.g. "hello:1.0"
  Compression compression = Compression::gzip;
  std::int64_t created = 0;  // seconds since 1970: SOURCE_DATE_EPOCH or 0
};

// Content that is addressed by its digest.
struct Blob {
  std::string media_type;
  std::string digest;  // "sha256:…"
  Bytes bytes;
};

struct Image {
  std::string reference;  // normalised: "docker.io/library/hello:1.0" stays "hello:1.0" as given
  std::string platform;   // "linux/amd64"
  Blob layer;             // compressed
  std::string diff_id;    // digest of the uncompressed tar
  std::uint64_t layer_tar_size = 0;  // bytes
  Blob config;
  Blob manifest;
  std::int64_t created = 0;
  std::vector<std::string> warnings;  // e.g. who cannot read zstd layers
};

// Builds the image in memory. Throws Error{usage} where the spec cannot be met (a path with "..",
// two files of one path, a malformed tag, port or user).
Image build_image(const ImageSpec& spec);

// One tar that is an OCI layout and a `docker load` archive at once, appearing atomically. Returns
// its size in bytes.
std::uint64_t write_archive(const Image& image, const std::filesystem::path& path);

// An OCI layout folder, made or added to. In a layout that exists the image replaces the one with
// the same name and platform; other names stay, and other platforms of the name form an image index
// with it. Blobs that nothing refers to any more are removed. Any number of threads and processes
// may do this at once. Returns what the user should know.
//
// Throws Error{refused} for a folder that is neither empty nor a layout of version 1 and where the
// name leads to something other than an image, Error{malformed} and Error{corrupt} for a damaged
// layout, which stays as it is, and Error{io}.
std::vector<std::string> write_layout(const Image& image, const std::filesystem::path& folder);

// Throws what write_layout would for that path alone: Error{io} where a file is there,
// Error{refused} for a folder that holds something else.
void check_layout_place(const std::filesystem::path& folder);

// GOARCH's name for an ELF machine ("amd64"), with the variant where OCI has one. Throws
// Error{refused} for a machine that has none.
struct Platform {
  std::string architecture, variant;
};
Platform platform_of(std::uint16_t elf_machine, bool is_64bit, bool big_endian,
                     std::string_view path);

// The size in bytes of the layer that `build_image` would make of the spec, were it compressed so
// and were `program` the content of its first file: what it weighs on the wire (gzip level 9, zstd
// level 19).
std::uint64_t layer_size(const ImageSpec& spec, ByteView program, Compression compression);

}  // namespace whittle::imagegen
