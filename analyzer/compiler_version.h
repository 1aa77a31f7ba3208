// SPDX-License-Identifier: MIT
//
// The version in a compiler's signature. A signature may hold other numbers, too (a commit, a
// date, a distribution's revision), so it is read from the front, by the form in which the compiler
// writes it, and what has another form gives no version.
#pragma once

#include <optional>
#include <string_view>

namespace whittle::analyzer {

struct CompilerVersion {
  std::string_view number;      // "1.22.3", into the signature
  bool before_release = false;  // "1.22rc1", "1.75.0-nightly", "devel go1.22-…": on the way to it
};

// Of "go1.22.3", "go1.22rc1", "go1.21.0 X:boringcrypto", "devel go1.22-5c63d5b Thu …". A suffix
// that is not Go's own ("go1.22-custom") may stand for anything since the release before. Nothing
// of "devel +5c63d5b …". Source: Go's internal/gover and `go help version`.
std::optional<CompilerVersion> go_version(std::string_view signature);

// Of "rustc version 1.63.0 (…)", "rustc version 1.75.0-nightly (…)". Nothing of "rustc, commit …".
std::optional<CompilerVersion> rust_version(std::string_view signature);

// True where `version` is `least` or newer for certain; `least` is numbers and dots.
bool is_at_least(const CompilerVersion& version, std::string_view least);

// -1, 0 or 1 as the numbers in `a` and `b`, "2.9" and "2.34", compare part by part. Parts that are
// missing count as zero.
int compare_versions(std::string_view a, std::string_view b);

}  // namespace whittle::analyzer
