// SPDX-License-Identifier: MIT
#include "ship/audit.h"

#include <iterator>
#include <utility>

#include "common/error.h"
#include "imagegen/image_set.h"
#include "packer/packer.h"
#include "ship/image_audit.h"

namespace whittle::ship {
namespace {

void append(std::vector<analyzer::AuditedFile> files, std::vector<analyzer::AuditedFile>& out) {
  out.insert(out.end(), std::make_move_iterator(files.begin()),
             std::make_move_iterator(files.end()));
}

// What a path that may lead to images gives; false where it does not.
bool add_images(const std::filesystem::path& path, const analyzer::AuditOptions& options,
                Audit& out) {
  try {
    const auto images = imagegen::ImageSet::open(path);
    if (images == nullptr) return false;
    audit_images(*images, path, options, out);
  } catch (const Error& error) {
    out.files.push_back(analyzer::failed_file(path.native(), error));
  }
  return true;
}

std::optional<analyzer::PackedProgram> find_packed(ByteView file, std::string_view path) {
  if (!packer::is_packed(file)) return std::nullopt;
  const packer::PackInfo info = packer::inspect(file, path);
  analyzer::PackedProgram program{.packing = {.packer = "whittle",
                                              .version = info.packer_version,
                                              .level = info.level,
                                              .original_size = info.original_size,
                                              .original_sha256 = info.original_sha256,
                                              .hidden = false},
                                  .memory = info.original_size + info.scratch_size,
                                  .unpack = [file, path] { return packer::unpack(file, path); }};
  for (const packer::StreamInfo& stream : info.streams) {
    program.memory += stream.raw_size;
    if (stream.part == 1) program.memory += stream.region_size;
  }
  return program;
}

}  // namespace

Audit audit(const std::vector<std::filesystem::path>& paths, analyzer::AuditOptions options) {
  options.find_packed = find_packed;
  Audit out;
  std::vector<std::filesystem::path> others;  // since the last image
  const auto add_others = [&] {
    append(analyzer::audit(std::exchange(others, {}), options), out.files);
  };
  for (const std::filesystem::path& path : paths) {
    Audit images;
    if (!add_images(path, options, images)) {
      others.push_back(path);
      continue;
    }
    add_others();
    append(std::move(images.files), out.files);
    out.images.insert(out.images.end(), std::make_move_iterator(images.images.begin()),
                      std::make_move_iterator(images.images.end()));
  }
  add_others();
  return out;
}

}  // namespace whittle::ship
