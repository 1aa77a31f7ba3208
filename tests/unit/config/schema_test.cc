// SPDX-License-Identifier: MIT
//
// config/SCHEMA.md against the tables that the code reads.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "ship/image_options.h"

namespace whittle::config {
namespace {

using testing::ElementsAreArray;

// The keys in the first column of the table below a heading: "| `labels`, `annotations` | …".
std::vector<std::string> documented_keys(const std::string& heading) {
  std::ifstream page(WHITTLE_SOURCE "/config/SCHEMA.md");
  std::vector<std::string> keys;
  std::string line;
  bool inside = false;
  while (std::getline(page, line)) {
    if (line.starts_with("#")) inside = line == heading;
    if (!inside || !line.starts_with("| `")) continue;
    const std::string cell = line.substr(0, line.find('|', 1));
    const std::regex key("`([a-z_]+)`");
    for (std::sregex_iterator it(cell.begin(), cell.end(), key), end; it != end; ++it) {
      keys.push_back((*it)[1]);
    }
  }
  return keys;
}

TEST(Schema, HasTheOptionsOfImages) {
  std::vector<std::string> keys;
  for (const ship::ImageOption& option : ship::kImageOptions) keys.emplace_back(option.key);
  EXPECT_THAT(documented_keys("## `whittle.image`"), ElementsAreArray(keys));
}

}  // namespace
}  // namespace whittle::config
