// SPDX-License-Identifier: MIT
//
// The one list of what a program can be hardened with. Policies use the identifiers as rules;
// reports use them as keys, with `_` for `-` as everywhere in JSON.
#pragma once

#include <string_view>

#include "analyzer/report.h"

namespace whittle::analyzer {

struct HardeningFact {
  std::string_view id;
  HardeningState Hardening::*state;
  std::string_view words;  // what a program has that has it: "a shadow stack"
};
inline constexpr HardeningFact kHardeningFacts[] = {
    {"nx", &Hardening::nx, "a stack that is not executable"},
    {"relro", &Hardening::relro, "full RELRO"},
    {"pie", &Hardening::pie, "position-independent code"},
    {"canary", &Hardening::canary, "stack canaries"},
    {"fortify", &Hardening::fortify, "checked library functions"},
    {"no-writable-code", &Hardening::no_writable_code, "code that cannot be written to"},
    {"ibt", &Hardening::ibt, "indirect branch tracking"},
    {"shadow-stack", &Hardening::shadow_stack, "a shadow stack"},
    {"bti", &Hardening::bti, "branch target identification"},
    {"pac", &Hardening::pac, "pointer authentication"},
};

}  // namespace whittle::analyzer
