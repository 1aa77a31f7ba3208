// SPDX-License-Identifier: MIT
#include "analyzer/compiler_version.h"

#include <algorithm>

namespace whittle::analyzer {
namespace {

// "1.22.3" at the front of `text`, which is cut from it; empty where it does not begin with two
// numbers and a dot between them.
std::string_view take_number(std::string_view& text) {
  const auto is_digit = [&](std::size_t at) {
    return at < text.size() && text[at] >= '0' && text[at] <= '9';
  };
  std::size_t end = 0, parts = 0;
  while (is_digit(end)) {
    while (is_digit(end)) end++;
    parts++;
    if (end >= text.size() || text[end] != '.' || !is_digit(end + 1)) break;
    end++;
  }
  if (parts < 2) return {};
  const std::string_view number = text.substr(0, end);
  text.remove_prefix(end);
  return number;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool ends_here(std::string_view rest) { return rest.empty() || rest.front() == ' '; }

}  // namespace

std::optional<CompilerVersion> go_version(std::string_view signature) {
  CompilerVersion out;
  out.before_release = take(signature, "devel ");
  if (!take(signature, "go")) return std::nullopt;
  out.number = take_number(signature);
  if (out.number.empty()) return std::nullopt;
  if (ends_here(signature) || signature.starts_with('+')) return out;
  const bool known = signature.starts_with("rc") || signature.starts_with("beta") ||
                     signature.starts_with("alpha") || signature.starts_with('-');
  if (!known) return std::nullopt;
  // Since Go 1.25 experiments are joined to the version: "go1.25.3-X:nodwarf5".
  out.before_release = out.before_release || !signature.starts_with("-X:");
  return out;
}

std::optional<CompilerVersion> rust_version(std::string_view signature) {
  CompilerVersion out;
  if (!take(signature, "rustc version ")) return std::nullopt;
  out.number = take_number(signature);
  out.before_release = signature.starts_with('-');
  if (out.number.empty() || !(ends_here(signature) || out.before_release)) return std::nullopt;
  return out;
}

bool is_at_least(const CompilerVersion& version, std::string_view least) {
  const int order = compare_versions(version.number, least);
  return version.before_release ? order > 0 : order >= 0;
}

int compare_versions(std::string_view a, std::string_view b) {
  const auto next = [](std::string_view& text) -> std::string_view {
    const std::size_t dot = text.find('.');
    std::string_view part = text.substr(0, dot);
    text = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
    part.remove_prefix(std::min(part.find_first_not_of('0'), part.size()));
    return part;
  };
  while (!a.empty() || !b.empty()) {
    const std::string_view left = next(a), right = next(b);
    // Without leading zeroes the longer number is the larger.
    if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
    if (left != right) return left < right ? -1 : 1;
  }
  return 0;
}

}  // namespace whittle::analyzer
