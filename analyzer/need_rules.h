// SPDX-License-Identifier: MIT
//
// What programs may need at run time and the signs that tell, as data. Adding a sign is a line in
// need_rules.cc; analyzer/needs.cc matches them.
//
// A sign must discriminate. /etc/ld.so.cache, gconv-modules or dlopen stand in every static glibc
// program, /usr/share/zoneinfo in every Go program: such signs would cry wolf.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "analyzer/report.h"

namespace whittle::analyzer {

struct NeedKind {
  std::string_view id;      // "needs/shell"
  std::string_view title;   // "a shell"
  std::string_view breaks;  // what happens without it, a sentence
  std::string_view supply;  // how an image gets it, a sentence; "{}": the command that adds it
};

// Which programs a sign means something in: bits, of which one has to fit.
enum Runtime : std::uint8_t {
  kGo = 1,
  kGlibc = 2,      // C, C++ and whatever else is linked with glibc, apart from Rust
  kGlibcRust = 4,  // Rust linked with glibc
  kMusl = 8,       // as kGlibc; glibc always shows, so a libc that does not counts as musl
  kMuslRust = 16,
  kRust = kGlibcRust | kMuslRust,
  kC = kGlibc | kMusl,
  kAnyGlibc = kGlibc | kGlibcRust,
  kAnyMusl = kMusl | kMuslRust,
  kNotGo = kC | kRust,
};

enum class Sign : std::uint8_t {
  go_function,   // in Go's function table, the names of inlined functions included
  symbol,        // a function of .symtab, or one that a dynamic program imports
  import,        // of a dynamic program only: a static C library refers to the function itself
  text,          // NUL-terminated bytes of a segment; may be the tail of a longer string
  whole_text,    // as `text`, but not the tail of a longer string
  text_inside,   // bytes of a segment, whatever follows: Go and Rust do not terminate strings
  library_text,  // as `text`, from the C library's own code: counts only without symbols, which
                 // say the same more exactly
};

enum class Confidence : std::uint8_t { low, medium, high };

struct NeedRule {
  std::string_view need;
  std::uint8_t runtimes;
  Sign sign;
  std::string_view pattern;  // in names of functions and symbols, `*` stands for anything
  Confidence confidence;
  std::string_view also = {};  // a Go function that has to be there too
};

// A sign that the program brings what it would need.
struct Mitigation {
  std::string_view need;
  std::string_view go_function;  // as NeedRule::pattern
};

// A way for an image to have what a program needs.
struct SupplyRule {
  std::string_view need;
  std::uint8_t runtimes;  // of the programs that look there
  Supply::What what;
  std::string_view path;           // in the image
  std::string_view source = {};    // on a usual host; empty: a file of one's own, by the same name
  std::string_view also = {};      // another path that has to be there
  std::string_view variable = {};  // see Supply
  // Counts for a static program only if the program contains the path: a library is built for one
  // place. Counts for every dynamic program: a distribution's libraries use the distribution's
  // place.
  bool if_named = false;
};

std::span<const NeedKind> need_kinds();
std::span<const SupplyRule> supply_rules();
std::span<const NeedRule> need_rules();
std::span<const Mitigation> mitigations();

}  // namespace whittle::analyzer
