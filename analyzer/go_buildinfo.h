// SPDX-License-Identifier: MIT
//
// What the Go linker wrote into a program about itself: the version of Go, the main package and
// the modules it was built from (what `go version -m` prints).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/report.h"
#include "common/elf.h"

namespace whittle::analyzer {

struct GoBuildInfo {
  std::string version;       // "go1.19.8"
  std::string main_package;  // "example.com/hello/cmd/hello"; empty where not recorded
  std::vector<Module> modules;
  std::vector<Setting> settings;
};

// Nothing when the file holds no build information; a damaged one counts as none. Never throws on
// any content.
std::optional<GoBuildInfo> read_go_build_info(const elf::File& file);

// True when the file has what every Go program has: a section of Go's, the Go build-id note, or a
// function table (pclntab).
bool is_go_program(const elf::File& file);

// The value of runtime.buildVersion in a Go program without build information, found by the string
// header (address, length) in its data that points to text of the form "go1.N…". Empty when
// nothing fits.
std::string find_go_version(const elf::File& file);

// Parses the text that lies between the sentinels of the module data.
void parse_go_modules(std::string_view text, GoBuildInfo& info);

}  // namespace whittle::analyzer
