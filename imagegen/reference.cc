// SPDX-License-Identifier: MIT
//
// Names of images. People write "hello", engines store "docker.io/library/hello:latest", and an OCI
// layout knows an image by its tag alone. The grammar is the distribution project's
// (distribution/reference, "reference := name [ ":" tag ]"):
//
//   name       [registry "/"] component ("/" component)*
//   registry   has a "." or ":" or is "localhost"; otherwise the word is the first component
//   component  [a-z0-9]+ joined by ".", "_", "__" or any number of "-"
//   tag        [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}
//
// A digest ("@sha256:…") names content that exists; it cannot name an image that is being made.
#include "imagegen/reference.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.h"
#include "common/text.h"

namespace whittle::imagegen {
namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestTag = 128;
constexpr std::string_view kDefaultRegistry = "docker.io";
constexpr std::string_view kOfficialFolder = "library/";

bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alphanumeric(char c) { return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z'); }

bool is_separator(std::string_view text) {
  return text == "." || text == "_" || text == "__" ||
         (!text.empty() && text.find_first_not_of('-') == text.npos);
}

bool is_component(std::string_view text) {
  if (text.empty() || !is_lower_alphanumeric(text.front()) || !is_lower_alphanumeric(text.back())) {
    return false;
  }
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (!is_lower_alphanumeric(text[end])) end++;  // ends: the last character is one
    if (end > i && !is_separator(text.substr(i, end - i))) return false;
    i = std::max(end, i + 1);
  }
  return true;
}

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > kLongestTag) return false;
  if (text.front() == '.' || text.front() == '-') return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

bool is_registry(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view host = text.substr(0, colon);
  if (host.empty() || !is_alphanumeric(host.front()) || !is_alphanumeric(host.back())) return false;
  const bool host_ok = std::all_of(
      host.begin(), host.end(), [](char c) { return is_alphanumeric(c) || c == '.' || c == '-'; });
  if (colon == text.npos) return host_ok;
  const std::string_view port = text.substr(colon + 1);
  return host_ok && !port.empty() && port.size() <= 5 &&
         port.find_first_not_of("0123456789") == port.npos;
}

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw Error(ErrorKind::usage, "", fmt::format("image name '{}' {}", printable(text), why));
}

}  // namespace

Reference parse_reference(std::string_view text) {
  if (text.empty()) refuse(text, "is empty; give a name such as hello:1.0");
  if (text.find('@') != text.npos) refuse(text, "has a digest; a new image is named by a tag");

  // A colon after the last slash begins the tag; one before it belongs to a registry's port.
  std::string_view name = text, tag = "latest";
  const std::size_t slash = text.rfind('/');
  const std::size_t colon = text.rfind(':');
  if (colon != text.npos && (slash == text.npos || colon > slash)) {
    name = text.substr(0, colon);
    tag = text.substr(colon + 1);
    if (!is_tag(tag)) {
      refuse(text, fmt::format("has the tag '{}'; a tag is up to {} letters, digits, '_', '.' and "
                               "'-', and does not begin with '.' or '-'",
                               printable(tag), kLongestTag));
    }
  }

  std::string_view registry = kDefaultRegistry, path = name;
  const std::size_t first_slash = name.find('/');
  if (first_slash != name.npos) {
    const std::string_view first = name.substr(0, first_slash);
    if (first.find_first_of(".:") != first.npos || first == "localhost") {
      registry = first;
      path = name.substr(first_slash + 1);
      if (!is_registry(registry)) {
        refuse(text, fmt::format("has the registry '{}', which is not HOST or HOST:PORT",
                                 printable(registry)));
      }
    }
  }
  if (name.size() > kLongestName) {
    refuse(text,
           fmt::format("has {} bytes before the tag; {} are allowed", name.size(), kLongestName));
  }
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view component = path.substr(begin, end - begin);
    if (!is_component(component)) {
      refuse(text, fmt::format("has the part '{}'; a part is lower-case letters and digits joined "
                               "by '.', '_', '__' or '-'",
                               printable(component)));
    }
    begin = end + 1;
  }

  if (registry != kDefaultRegistry) {
    const std::string full = fmt::format("{}/{}:{}", registry, path, tag);
    return {.familiar = full, .canonical = full, .tag = std::string(tag)};
  }
  // Docker leaves out its own registry and the folder of the official images.
  std::string_view familiar = path;
  if (path.starts_with(kOfficialFolder) && path.find('/', kOfficialFolder.size()) == path.npos) {
    familiar = path.substr(kOfficialFolder.size());
  }
  const std::string_view folder = familiar.find('/') == familiar.npos ? kOfficialFolder : "";
  return {.familiar = fmt::format("{}:{}", familiar, tag),
          .canonical = fmt::format("{}/{}{}:{}", registry, folder, familiar, tag),
          .tag = std::string(tag)};
}

}  // namespace whittle::imagegen
