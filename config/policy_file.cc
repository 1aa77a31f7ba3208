// SPDX-License-Identifier: MIT
#include "config/policy_file.h"

#include "common/file.h"
#include "config/substitute.h"
#include "config/yaml.h"

namespace whittle::config {

void read_policy(const std::filesystem::path& path, analyzer::Policy& policy) {
  constexpr std::uint64_t kMaxBytes = 1 << 20;
  const Bytes bytes = read_file(path, kMaxBytes).bytes;
  const SubstitutedText text(as_text(bytes), {});
  const Document document(text, path.native());
  for (const Value& rule : Mapping(document.root(), {"require"}).require("require").list()) {
    rule.check([&] { policy.require(rule.text()); });
  }
}

}  // namespace whittle::config
