// SPDX-License-Identifier: MIT
//
// What pulls libraries in depends on the toolchain. Go links C only for cgo, and names the
// functions of a package that uses it with a prefix of their own (_Cfunc_, _C2func_), so its table
// of functions tells which package it was. Rust takes the C library of its target. C takes whatever
// the link line names, statically where it is told to.
#include "analyzer/linkage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "analyzer/compiler_version.h"
#include "analyzer/go_symbols.h"
#include "common/text.h"

namespace whittle::analyzer {
namespace {

constexpr std::size_t kMaxNames = 8;

bool imports(const std::vector<Symbol>& dynamic_symbols, std::string_view name) {
  return std::any_of(dynamic_symbols.begin(), dynamic_symbols.end(),
                     [&](const Symbol& symbol) { return !symbol.defined && symbol.name == name; });
}

bool is_name_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '+' || c == '_' || c == '/';
}

// Texts that are names of libraries, "libfoo.so.1", other than those needed anyway.
std::vector<std::string> library_names(const elf::File& file, const BinaryReport& report) {
  constexpr std::size_t kMaxFound = 32, kLongest = 256;
  std::set<std::string> found;
  for (const elf::Segment& s : file.segments()) {
    if (s.type != elf::kSegmentLoad) continue;
    const std::string_view text = as_text(file.bytes().subspan(s.offset, s.filesz));
    for (std::size_t at = text.find(".so");
         at != std::string_view::npos && found.size() < kMaxFound; at = text.find(".so", at + 1)) {
      std::size_t begin = at, end = at + 3;
      while (begin > 0 && at - begin < kLongest && is_name_character(text[begin - 1])) begin--;
      while (end < text.size() && end - at < kLongest &&
             ((text[end] >= '0' && text[end] <= '9') || text[end] == '.')) {
        end++;
      }
      const bool whole =
          begin > 0 && text[begin - 1] == '\0' && end < text.size() && text[end] == '\0';
      const std::string name(text.substr(begin, end - begin));
      const std::string base = name.substr(name.rfind('/') + 1);
      const bool is_one = name.find(".so") == at - begin;  // not several, run together
      if (whole && is_one && base.size() > 3 && base[0] != '.' && name != report.interpreter &&
          std::find(report.needed.begin(), report.needed.end(), base) == report.needed.end()) {
        found.insert(name);
      }
    }
  }
  return {found.begin(), found.end()};
}

std::string listed(const std::vector<std::string>& names) {
  std::string out = fmt::format(
      "{}",
      fmt::join(names.begin(),
                names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMaxNames)),
                ", "));
  if (names.size() > kMaxNames) out += fmt::format(" and {} more", names.size() - kMaxNames);
  return out;
}

// Import paths of the packages that call C.
std::vector<std::string> cgo_packages(const GoFunctionTable& functions) {
  std::set<std::string> packages;
  for (const GoFunction& function : functions.functions) {
    for (const std::string_view mark : {"._Cfunc_", "._C2func_"}) {
      const std::size_t at = function.name.find(mark);
      if (at != std::string_view::npos) packages.insert(go_package_of(function.name));
    }
  }
  packages.erase("runtime/cgo");  // there with every other
  return {packages.begin(), packages.end()};
}

std::string_view setting(const Toolchain& toolchain, std::string_view key) {
  for (const Setting& one : toolchain.settings) {
    if (one.key == key) return one.value;
  }
  return {};
}

void explain_go(const BinaryReport& report, const GoFunctionTable* functions, Linkage& out) {
  const Toolchain& toolchain = report.toolchain;
  // Not every version of Go records the mode; an interpreter with nothing to load is its mark.
  if (setting(toolchain, "-buildmode") == "pie" || report.needed.empty()) {
    out.causes.push_back("was built with -buildmode=pie, which asks for an interpreter");
    out.remedies.push_back("leave out -buildmode=pie: go build");
  }
  const auto packages =
      functions != nullptr ? cgo_packages(*functions) : std::vector<std::string>();
  const bool cgo = setting(toolchain, "CGO_ENABLED") == "1" || !packages.empty();
  if (!cgo) {
    if (out.remedies.empty()) out.remedies.push_back("CGO_ENABLED=0 go build");
    return;
  }
  const bool own = std::all_of(packages.begin(), packages.end(), [](const std::string& name) {
    return name == "net" || name == "os/user" || name == "plugin" || name == "crypto/x509/internal";
  });
  if (packages.empty()) {
    out.causes.push_back("was built with CGO_ENABLED=1");
  } else {
    out.causes.push_back("calls C from " + listed(packages));
  }
  if (own) {
    out.remedies.push_back(
        "CGO_ENABLED=0 go build, or go build -tags netgo,osusergo: Go has these in Go as well");
  } else {
    out.remedies.push_back(
        "link the C code in: CC=musl-gcc CGO_ENABLED=1 go build -tags netgo,osusergo -ldflags "
        "'-linkmode external -extldflags -static'; or use packages that need no C");
  }
}

void explain_rust(const BinaryReport& report, Linkage& out) {
  out.causes.push_back(report.toolchain.libc == "musl"
                           ? "was built for a musl target without crt-static"
                           : "was built for a target that links glibc dynamically");
  const std::string machine = report.machine == "x86-64"    ? "x86_64"
                              : report.machine == "riscv64" ? "riscv64gc"
                                                            : report.machine;
  out.remedies.push_back(fmt::format(
      "cargo build --release --target {}-unknown-linux-musl; or, with glibc, RUSTFLAGS='-C "
      "target-feature=+crt-static' cargo build --release --target {}-unknown-linux-gnu",
      machine, machine));
}

void explain_c(const std::vector<Symbol>& dynamic_symbols, Linkage& out) {
  out.causes.push_back("was linked without -static");
  out.remedies.push_back("link with -static, or -static-pie to keep random addresses");
  std::vector<std::string> still;
  for (const std::string_view name : {"getaddrinfo", "gethostbyname", "getpwnam", "getpwuid",
                                      "getgrnam", "getgrgid", "iconv_open", "dlopen"}) {
    if (imports(dynamic_symbols, name)) still.emplace_back(name);
  }
  if (!still.empty()) {
    out.remedies.push_back("use musl-gcc -static: a static glibc still loads libraries for " +
                           listed(still));
  }
}

// The C library's own parts are in any static C library; of others there must be an archive.
bool is_of_c_library(std::string_view name) {
  for (const std::string_view own :
       {"libc.so", "libc.musl-", "libm.so", "libpthread.so", "libdl.so", "librt.so", "libutil.so",
        "libresolv.so", "ld-linux", "ld-musl", "libgcc_s.so", "libstdc++.so", "libcrypt.so"}) {
    if (name.starts_with(own)) return true;
  }
  return false;
}

}  // namespace

Linkage read_version_needs(const elf::File& file, const std::vector<Symbol>& dynamic_symbols) {
  constexpr std::size_t kMaxOthers = 32;
  struct Newest {
    std::string_view number;
    std::uint16_t index = 0;
  };
  Linkage out;
  std::set<std::string> others;
  // By library and what stands before the number: libstdc++ has GLIBCXX_ and CXXABI_.
  std::map<std::pair<std::string_view, std::string_view>, Newest> newest;
  for (const NeededVersion& version : read_needed_versions(file)) {
    const std::size_t bar = std::min(version.name.rfind('_'), version.name.size());
    const std::string_view number = version.name.substr(std::min(bar + 1, version.name.size()));
    if (number.empty() || number.find_first_not_of("0123456789.") != std::string_view::npos) {
      const bool counts = version.name.starts_with("GLIBC_") && others.size() < kMaxOthers;
      if (counts) others.insert(printable(version.name));
      continue;
    }
    const auto [known, is_new] = newest.try_emplace({version.library, version.name.substr(0, bar)},
                                                    Newest{number, version.index});
    if (!is_new && compare_versions(number, known->second.number) > 0) {
      known->second = {number, version.index};
    }
  }
  for (const auto& [key, found] : newest) {
    VersionNeed need;
    need.library = printable(key.first);
    need.version = printable(key.second) + "_" + std::string(found.number);
    for (const Symbol& symbol : dynamic_symbols) {
      if (need.symbols.size() == kMaxNames) break;
      if (!symbol.defined && symbol.version == found.index) {
        need.symbols.push_back(printable(symbol.name));
      }
    }
    out.versions.push_back(std::move(need));
  }
  out.other_versions.assign(others.begin(), others.end());
  return out;
}

Linkage describe_linkage(const elf::File& file, const BinaryReport& report,
                         const GoFunctionTable* go_functions,
                         const std::vector<Symbol>& dynamic_symbols) {
  Linkage out = read_version_needs(file, dynamic_symbols);
  if (imports(dynamic_symbols, "dlopen") || imports(dynamic_symbols, "dlmopen")) {
    out.may_load = library_names(file, report);
  }
  if (report.toolchain.language == "Go") {
    explain_go(report, go_functions, out);
  } else if (report.toolchain.language == "Rust") {
    explain_rust(report, out);
  } else {
    explain_c(dynamic_symbols, out);
  }
  std::vector<std::string> others;
  for (const std::string& library : report.needed) {
    if (!is_of_c_library(library)) others.push_back(library);
  }
  if (!others.empty()) {
    out.causes.push_back("uses " + listed(others));
    out.remedies.push_back(
        report.toolchain.language == "Rust"
            ? "enable the `vendored` or `static` feature of the -sys crates of " + listed(others)
            : "install or build the static archives (.a) of " + listed(others));
  }
  return out;
}

}  // namespace whittle::analyzer
