// SPDX-License-Identifier: MIT
//
// What is asked for, held against what engines do with it. A config is only JSON and takes any
// string; what is wrong in it shows when a container starts, on somebody else's machine. So the
// rules of the run time are applied here: what could never start is an error, what could surprise
// is a warning. Sources: OCI image-spec, config.md and annotations.md; for users, the range that
// runc and docker take.
#include "imagegen/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "common/error.h"
#include "common/file_tree.h"
#include "common/text.h"
#include "imagegen/root_tree.h"

namespace whittle::imagegen {
namespace {

constexpr std::int64_t kEndOfYear9999 = 253402300799;  // RFC 3339 has four digits for a year
constexpr std::uint32_t kLargestUser = 0x7fffffff;

[[noreturn]] void refuse(std::string_view what, std::string_view value, std::string_view why) {
  throw Error(ErrorKind::usage, "", fmt::format("{} '{}' {}", what, printable(value), why));
}

std::optional<std::uint32_t> parse_number(std::string_view text, std::uint32_t largest) {
  std::uint32_t value = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || at != end || value > largest) return std::nullopt;
  return value;
}

bool is_user_name(std::string_view text) {
  const auto is_first = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && is_first(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_first(c) || (c >= '0' && c <= '9') || c == '.' || c == '-';
         });
}

// Where engines put files of their own when a container starts.
bool is_given_by_engines(std::string_view path) {
  for (const std::string_view file : {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}) {
    if (path == file) return true;
  }
  for (const std::string_view folder : {"/dev/", "/proc/", "/sys/"}) {
    if (path.starts_with(folder)) return true;
  }
  return false;
}

// Links that lead to nothing, in one line: a folder of time zones has hundreds of links.
std::string find_dangling_links(const std::vector<RootEntry>& root) {
  const RootTree tree(root);
  const RootEntry* first = nullptr;
  int others = 0;
  for (const RootEntry& entry : root) {
    if (entry.target.empty() || is_given_by_engines(entry.target)) continue;
    if (resolve(tree, '/' + entry.path)) continue;
    if (first == nullptr) {
      first = &entry;
    } else {
      others++;
    }
  }
  if (first == nullptr) return "";
  return fmt::format("the symbolic link /{} leads to '{}', which the image does not have{}",
                     printable(first->path), printable(first->target),
                     others == 0 ? "" : fmt::format(", and {} more are like that", others));
}

}  // namespace

void check_text(std::string_view what, std::string_view value) {
  if (!is_utf8(value)) refuse(what, value, "is not UTF-8");
  if (value.find('\0') != value.npos) refuse(what, value, "has a NUL byte");
}

void check_user(std::string_view user, const std::vector<RootEntry>& root) {
  check_text("user", user);
  if (user.empty()) return;  // the engine's default: root
  struct Part {
    std::string_view text, what, file;
  };
  const std::size_t colon = user.find(':');
  std::vector<Part> parts = {{user.substr(0, colon), "user", "/etc/passwd"}};
  if (colon != user.npos) parts.push_back({user.substr(colon + 1), "group", "/etc/group"});
  for (const auto& [text, what, file] : parts) {
    if (text.find_first_not_of("0123456789") == text.npos && !text.empty()) {
      if (!parse_number(text, kLargestUser)) {
        refuse("user", user, fmt::format("has a {} above {}", what, kLargestUser));
      }
    } else if (!is_user_name(text)) {
      refuse("user", user, "is not USER or USER:GROUP; use numbers, as in 65532:65532");
    } else if (!resolve(RootTree(root), file)) {
      refuse("user", user,
             fmt::format("has a {} name, and the image has no {} to look it up; use a number, or "
                         "add the file",
                         what, file));
    }
  }
}

void check_env(const std::vector<std::string>& env) {
  std::set<std::string_view> seen;
  for (const std::string& variable : env) {
    check_text("environment variable", variable);
    const std::size_t equals = variable.find('=');
    if (equals == variable.npos || equals == 0) {
      refuse("environment variable", variable, "is not NAME=VALUE");
    }
    const std::string_view name = std::string_view(variable).substr(0, equals);
    if (!seen.insert(name).second) refuse("environment variable", name, "is given twice");
  }
}

void check_pairs(std::string_view what, const Pairs& pairs) {
  std::set<std::string_view> seen;
  for (const auto& [key, value] : pairs) {
    check_text(what, key);
    check_text(fmt::format("value of {} '{}'", what, printable(key)), value);
    const auto is_plain = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; };
    if (key.empty() || !std::all_of(key.begin(), key.end(), is_plain)) {
      refuse(what, key, "is not a name: it needs one or more characters without blanks");
    }
    if (!seen.insert(key).second) refuse(what, key, "is given twice");
  }
}

std::set<std::string> normalise_ports(const std::vector<std::string>& ports) {
  constexpr std::array<std::string_view, 3> kProtocols = {"tcp", "udp", "sctp"};
  std::set<std::string> out;
  for (const std::string& port : ports) {
    const std::size_t slash = std::min(port.find('/'), port.size());
    const auto number = parse_number(std::string_view(port).substr(0, slash), 65535);
    const std::string protocol = slash == port.size() ? "tcp" : port.substr(slash + 1);
    if (!number || *number == 0 ||
        std::find(kProtocols.begin(), kProtocols.end(), protocol) == kProtocols.end()) {
      refuse("port", port, "is not PORT, PORT/tcp, PORT/udp or PORT/sctp with PORT in 1 to 65535");
    }
    out.insert(fmt::format("{}/{}", *number, protocol));
  }
  return out;
}

void check_spec(const ImageSpec& spec, const std::vector<RootEntry>& root) {
  if (spec.architecture.empty()) {
    throw Error(ErrorKind::usage, "", "an image needs an architecture, such as amd64");
  }
  check_text("architecture", spec.architecture);
  check_text("variant", spec.variant);
  if (spec.created < 0 || spec.created > kEndOfYear9999) {
    refuse("time", std::to_string(spec.created),
           "is outside the years 1970 to 9999 (is SOURCE_DATE_EPOCH in seconds?)");
  }
  for (const std::string& word : spec.entrypoint) check_text("entrypoint", word);
  for (const std::string& word : spec.cmd) check_text("cmd", word);
  check_user(spec.user, root);
  check_env(spec.env);
  check_pairs("label", {spec.labels.begin(), spec.labels.end()});
  check_pairs("annotation", {spec.annotations.begin(), spec.annotations.end()});
}

std::vector<std::string> find_surprises(const ImageSpec& spec, const std::vector<RootEntry>& root) {
  std::vector<std::string> out;
  const auto warn = [&](std::string text) { out.push_back(std::move(text)); };

  for (const RootEntry& entry : root) {
    const std::string_view top = std::string_view(entry.path).substr(0, entry.path.find('/'));
    if (!entry.is_folder && (top == "proc" || top == "sys" || top == "dev")) {
      warn(fmt::format("/{} will be hidden: engines mount their own /{}", printable(entry.path),
                       top));
    }
  }

  if (std::string text = find_dangling_links(root); !text.empty()) warn(std::move(text));

  if (spec.compression == Compression::zstd) {
    warn(
        "zstd layers: podman, containerd and docker 23 or newer run them; docker 20.10 and umoci "
        "cannot");
  }
  return out;
}

}  // namespace whittle::imagegen
