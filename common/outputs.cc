// SPDX-License-Identifier: MIT
#include "common/outputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "common/error.h"
#include "common/file.h"

namespace whittle {
namespace {

namespace fs = std::filesystem;

bool is_special(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

// With the links of what exists followed; the rest by name.
fs::path place_of(const fs::path& path) {
  std::error_code error;
  const fs::path place = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? path.lexically_normal() : place;
}

// True where `path` is below a folder that exists.
bool is_below(const fs::path& path, const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error) || is_special(path)) return false;
  const fs::path inner = place_of(path), outer = place_of(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

}  // namespace

bool same_place(const fs::path& a, const fs::path& b) {
  if (is_special(a) || is_special(b)) return false;
  return same_file(a, b) || place_of(a) == place_of(b);
}

void refuse_collisions(const std::vector<NamedPath>& inputs,
                       const std::vector<NamedPath>& outputs) {
  for (auto output = outputs.begin(); output != outputs.end(); output++) {
    if (output->path.empty()) continue;
    const auto refuse = [&](const NamedPath& other, const char* why) {
      throw Error(ErrorKind::usage, output->path.native(),
                  fmt::format("is {} as well as {}; {}", output->what, other.what, why));
    };
    for (const NamedPath& input : inputs) {
      if (!input.path.empty() && same_place(input.path, output->path)) {
        refuse(input, "whittle never overwrites its input; choose another output");
      }
      if (input.is_tree && is_below(output->path, input.path)) {
        throw Error(ErrorKind::usage, output->path.native(),
                    fmt::format("is {}, in the folder {}, which is {}; choose another output, or "
                                "the next run would read it as well",
                                output->what, input.path.native(), input.what));
      }
    }
    for (auto other = outputs.begin(); other != output; other++) {
      const bool both_to_standard_output =
          is_standard_output(other->path) && is_standard_output(output->path);
      if (!other->path.empty() &&
          (both_to_standard_output || same_place(other->path, output->path))) {
        refuse(*other, "each output needs a name of its own");
      }
    }
  }
}

}  // namespace whittle
