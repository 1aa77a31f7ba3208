// SPDX-License-Identifier: MIT
#include "cli/version.h"

#include <fmt/format.h>

#include <CLI/Version.hpp>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "analyzer/version.h"
#include "common/version.h"
#include "config/version.h"
#include "imagegen/version.h"
#include "packer/version.h"

namespace whittle::cli {

std::string version_text() {
  const std::vector<std::pair<const char*, std::string>> libraries = {
      {"LIEF", analyzer::lief_version()},
      {"libarchive", imagegen::libarchive_version()},
      {"zstd", packer::zstd_version()},
      {"OpenSSL", openssl_version()},
      {"libyaml", config::libyaml_version()},
      {"fmt",
       fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
      {"CLI11", CLI11_VERSION},
      {"nlohmann-json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR,
                                    NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
  };
  std::string text = "whittle " WHITTLE_VERSION "\n";
  for (const auto& [name, version] : libraries) text += fmt::format("  {:<14} {}\n", name, version);
  return text;
}

}  // namespace whittle::cli
