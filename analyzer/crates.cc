// SPDX-License-Identifier: MIT
#include "analyzer/crates.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "common/error.h"

namespace whittle::analyzer {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kSection = ".dep-v0";
constexpr std::size_t kMaxList = std::size_t{8} << 20;  // bytes unpacked, as cargo-auditable's own
constexpr std::size_t kMaxCrates = 20'000;

const elf::Section* list_section(const elf::File& file) {
  const elf::Section* section = file.find_section(kSection);
  return section != nullptr && section->has_bytes() && section->size != 0 ? section : nullptr;
}

Error not_a_list(const elf::File& file, const elf::Section& section, std::string_view why) {
  return Error(ErrorKind::malformed, file.path(),
               fmt::format("the list of crates in {} {}", kSection, why), section.offset);
}

// Ends a stream of zlib's when it goes out of scope.
class Inflater {
 public:
  Inflater() : ready_(::inflateInit(&stream_) == Z_OK) {}
  ~Inflater() {
    if (ready_) ::inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // All that `packed` unpacks to; nothing where it is damaged or does not end within `limit` bytes.
  std::optional<std::string> unpack(ByteView packed, std::size_t limit) {
    if (!ready_) return std::nullopt;
    std::string out;
    // zlib's interface is older than const.
    stream_.next_in = const_cast<Bytef*>(packed.data());
    stream_.avail_in = static_cast<uInt>(std::min<std::size_t>(packed.size(), limit));
    for (;;) {
      constexpr std::size_t kStep = std::size_t{64} << 10;
      const std::size_t before = out.size();
      out.resize(before + kStep);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      stream_.avail_out = static_cast<uInt>(kStep);
      const int result = ::inflate(&stream_, Z_NO_FLUSH);
      out.resize(out.size() - stream_.avail_out);
      if (out.size() > limit) return std::nullopt;
      if (result == Z_STREAM_END) return out;
      if (result != Z_OK || out.size() == before) return std::nullopt;
    }
  }

 private:
  z_stream stream_{};
  bool ready_;
};

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// What is nested deeper than a crate's own lists is none of the format's: it is not even kept.
Json parse_list(const std::string& text) {
  constexpr int kDeepest = 4;
  return Json::parse(
      text, [](int depth, Json::parse_event_t, Json&) { return depth <= kDeepest; }, false);
}

// "quick-xml", "0.31.0" of "quick-xml-0.31.0": the version begins after the first "-" that three
// numbers with dots between them follow. Nothing where there is none.
std::optional<std::pair<std::string, std::string>> split_version(std::string_view crate) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.' || c == '+';
  };
  if (!std::all_of(crate.begin(), crate.end(), is_plain)) return std::nullopt;
  const auto begins_with_version = [](std::string_view text) {
    for (int numbers = 1;; numbers++) {
      const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
      if (digits == 0) return false;
      if (numbers == 3) return true;
      if (digits == text.size() || text[digits] != '.') return false;
      text.remove_prefix(digits + 1);
    }
  };
  for (std::size_t dash = crate.find('-'); dash != std::string_view::npos;
       dash = crate.find('-', dash + 1)) {
    if (dash != 0 && begins_with_version(crate.substr(dash + 1))) {
      return std::pair(std::string(crate.substr(0, dash)), std::string(crate.substr(dash + 1)));
    }
  }
  return std::nullopt;
}

}  // namespace

bool has_crate_list(const elf::File& file) { return list_section(file) != nullptr; }

std::vector<Module> read_crate_list(const elf::File& file) {
  const elf::Section* section = list_section(file);
  if (section == nullptr) return {};
  const auto text =
      Inflater().unpack(file.bytes().subspan(section->offset, section->size), kMaxList);
  if (!text) throw not_a_list(file, *section, "cannot be unpacked");
  const Json list = parse_list(*text);
  if (!list.is_object() || !list.contains("packages") || !list["packages"].is_array()) {
    throw not_a_list(file, *section, "is not what cargo-auditable writes");
  }
  const Json& packages = list["packages"];
  if (packages.size() > kMaxCrates) throw not_a_list(file, *section, "is too long");
  std::vector<Module> crates;
  for (const Json& package : packages) {
    if (!package.is_object() || text_of(package, "name").empty()) {
      throw not_a_list(file, *section, "has an entry without a name");
    }
    Module crate{.path = text_of(package, "name"), .version = text_of(package, "version")};
    crate.source = text_of(package, "source");
    crate.found_in = kSection;
    crate.only_for_build = text_of(package, "kind") == "build";
    const auto root = package.find("root");
    const bool is_root = root != package.end() && root->is_boolean() && root->get<bool>();
    crates.insert(is_root ? crates.begin() : crates.end(), std::move(crate));
  }
  return crates;
}

std::vector<Module> find_crates_by_paths(const elf::File& file) {
  // A crate of a registry: "…/.cargo/registry/src/<index>/<name>-<version>/src/lib.rs"; one that
  // the standard library brings along: "/rust/deps/<name>-<version>/src/lib.rs".
  struct Place {
    std::string_view prefix;
    bool has_index;
  };
  constexpr Place kPlaces[] = {{"/registry/src/", true}, {"/rust/deps/", false}};
  constexpr std::size_t kMost = 2000, kLongest = 256;
  std::set<std::pair<std::string, std::string>> found;
  for (const elf::Segment& s : file.segments()) {
    if (s.type != elf::kSegmentLoad) continue;
    const auto text = as_text(file.bytes().subspan(s.offset, s.filesz));
    for (const Place& place : kPlaces) {
      for (auto at = text.find(place.prefix); at != std::string_view::npos && found.size() < kMost;
           at = text.find(place.prefix, at + 1)) {
        std::string_view rest = text.substr(at + place.prefix.size(), kLongest);
        if (place.has_index) rest = rest.substr(std::min(rest.find('/'), rest.size() - 1) + 1);
        const std::size_t end = rest.find('/');
        if (end == std::string_view::npos) continue;
        if (auto crate = split_version(rest.substr(0, end))) found.insert(std::move(*crate));
      }
    }
  }
  std::vector<Module> crates;
  for (const auto& [name, version] : found) {
    Module crate{.path = name, .version = version};
    crate.found_in = "path of a source file";
    crate.confidence = "medium";
    crates.push_back(std::move(crate));
  }
  return crates;
}

}  // namespace whittle::analyzer
