// SPDX-License-Identifier: MIT
//
// The crates of a Rust program. cargo-auditable writes their list into the section ".dep-v0":
// zlib-compressed JSON,
//
//   {"packages": [{"name": "app", "version": "0.1.0", "source": "local", "root": true,
//                  "dependencies": [1]}, {"name": "serde", "version": "1.0.2", …}]}
//
// Other programs still name crates by the paths of sources in their panic messages. Such a path is
// proof that the crate is in there, and tells its version; crates that cannot panic are missed, and
// whose registry it was, nobody knows. So what is found that way is of lower confidence.
//
// Sources: cargo-auditable's PARSING.md and its JSON schema; cargo's layout of ~/.cargo/registry.
#pragma once

#include <vector>

#include "analyzer/report.h"
#include "common/elf.h"

namespace whittle::analyzer {

// True where the program has a list of its crates, whatever it says.
bool has_crate_list(const elf::File& file);

// The crates of ".dep-v0", the program's own first; empty where there is no such section. Throws
// Error{malformed} where it is no list, longer than 8 MiB unpacked, or of more than 20,000 crates.
std::vector<Module> read_crate_list(const elf::File& file);

// Crates whose sources the program's data names by their paths, by name and version.
std::vector<Module> find_crates_by_paths(const elf::File& file);

}  // namespace whittle::analyzer
