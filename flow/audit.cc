// SPDX-License-Identifier: MIT
#include "flow/audit.h"

#include "common/elf.h"
#include "common/error.h"
#include "imagegen/image_files.h"
#include "packer/packer.h"

namespace whittle::flow {
namespace {

void add_image(const std::filesystem::path& path, analyzer::Auditor& auditor) {
  const imagegen::ImageVisitor visitor{
      .wants = elf::has_magic,
      .take =
          [&](imagegen::ImageFile file) {
            const std::string image = file.image.empty() ? "" : "[" + file.image + "]";
            auditor.add_content(path.native() + image + ":" + file.path, file.mode,
                                std::move(file.content));
          },
      .problem =
          [&](const std::string& where, const Error& error) {
            auditor.add_error(path.native() + ":" + where, error);
          }};
  try {
    imagegen::walk_image(path, visitor);
  } catch (const Error& error) {
    auditor.add_error(path.native(), error);
  }
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

std::vector<analyzer::AuditedFile> audit(const std::vector<std::filesystem::path>& paths,
                                         analyzer::AuditOptions options) {
  options.find_packed = find_packed;
  analyzer::Auditor auditor(options);
  for (const std::filesystem::path& path : paths) {
    if (imagegen::is_image(path)) {
      add_image(path, auditor);
    } else {
      auditor.add_path(path);
    }
  }
  return auditor.finish();
}

}  // namespace whittle::flow
