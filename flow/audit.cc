// SPDX-License-Identifier: MIT
#include "flow/audit.h"

#include "common/elf.h"
#include "common/error.h"
#include "imagegen/image_files.h"

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

}  // namespace

std::vector<analyzer::AuditedFile> audit(const std::vector<std::filesystem::path>& paths,
                                         const analyzer::AuditOptions& options) {
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
