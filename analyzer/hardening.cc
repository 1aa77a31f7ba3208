// SPDX-License-Identifier: MIT
//
// What makes a program's mistakes harder to exploit, read from what the linker and the compiler
// left:
//
//   NX        PT_GNU_STACK without the execute flag. Where the segment is missing, 32-bit programs
//   get
//             an executable stack; 64-bit ones do not on Linux 5.8 and later.
//   RELRO     PT_GNU_RELRO: tables that the loader fills are read-only afterwards. Full where the
//             loader fills all of them at the start (BIND_NOW), partial otherwise. A static program
//             at fixed addresses fills its own; there is nothing left to bind late, so it is full.
//   PIE       loaded at an address that differs from run to run.
//   canary    a value below the return address that is checked (__stack_chk_fail).
//   FORTIFY   checked forms of memcpy and the like (__memcpy_chk).
//   CET       x86: landing pads for indirect jumps (IBT), a second stack of return addresses
//             (SHSTK). BTI, PAC: the same ideas on aarch64. All in the note GNU/property.
//
// Canaries and FORTIFY guard against C's memory errors. Go and safe Rust check bounds instead, so
// there the question does not arise ("not applicable"). A stripped static program does not tell;
// the text "stack smashing detected" is in every static glibc program.
#include "analyzer/hardening.h"

#include <algorithm>

#include "common/error.h"
#include "common/text.h"

namespace whittle::analyzer {
namespace {

using State = HardeningState;

constexpr std::uint64_t kDynamicBindNow = 24, kDynamicFlags = 30;
constexpr std::uint64_t kFlagsBindNow = 8, kFlags1Now = 1;

bool binds_now(const std::vector<elf::DynamicEntry>& dynamic) {
  return std::any_of(dynamic.begin(), dynamic.end(), [](const elf::DynamicEntry& entry) {
    return entry.tag == kDynamicBindNow ||
           (entry.tag == kDynamicFlags && (entry.value & kFlagsBindNow) != 0) ||
           (entry.tag == elf::kDynamicFlags1 && (entry.value & kFlags1Now) != 0);
  });
}

State on(bool yes) { return yes ? State::yes : State::no; }

// Names ending in "_chk", apart from those that a static C library refers to itself.
bool is_fortified(std::string_view name) {
  return name.starts_with("__") && name.ends_with("_chk") && name != "__stack_chk" &&
         name != "__vdso_chk";
}

void find_compiled_in(const HardeningSigns& signs, Hardening& out) {
  if (signs.toolchain.language == "Go" || signs.toolchain.language == "Rust") {
    out.canary = out.fortify = State::not_applicable;
    return;
  }
  const bool dynamic = signs.kind == Kind::dynamic_executable || signs.kind == Kind::shared_object;
  const std::vector<Symbol>& symbols = dynamic ? signs.dynamic_symbols : signs.symbols;
  if (symbols.empty()) {
    out.canary = out.fortify = State::unknown;
    return;
  }
  bool canary = false, fortify = false;
  for (const Symbol& symbol : symbols) {
    canary = canary || symbol.name == "__stack_chk_fail" || symbol.name == "__stack_chk_guard";
    fortify = fortify || is_fortified(symbol.name);
  }
  // A static glibc has the checked functions for its own use, so they prove nothing.
  const bool static_glibc = !dynamic && signs.toolchain.libc == "glibc";
  out.canary = static_glibc && canary ? State::unknown : on(canary);
  out.fortify = static_glibc && fortify ? State::unknown : on(fortify);
}

void find_control_flow(const elf::File& file, Hardening& out) {
  const elf::Header& header = file.header();
  if (header.machine == elf::kMachineX86_64 || header.machine == elf::kMachine386) {
    const std::uint32_t bits = file.gnu_property(elf::kPropertyX86);
    out.ibt = on((bits & 1) != 0);
    out.shadow_stack = on((bits & 2) != 0);
  } else if (header.machine == elf::kMachineAarch64) {
    const std::uint32_t bits = file.gnu_property(elf::kPropertyAarch64);
    out.bti = on((bits & 1) != 0);
    out.pac = on((bits & 2) != 0);
  }
}

bool has_debug_info(const elf::File& file) {
  return std::any_of(file.sections().begin(), file.sections().end(), [](const elf::Section& s) {
    return s.name == ".debug_info" || s.name == ".zdebug_info";
  });
}

}  // namespace

Hardening find_hardening(const HardeningSigns& signs) {
  const elf::File& file = signs.file;
  Hardening out;
  std::vector<elf::DynamicEntry> dynamic;
  try {
    dynamic = file.dynamic();
    for (const std::string& text : file.dynamic_strings(elf::kDynamicRpath)) {
      out.rpath.push_back(printable(text));
    }
    for (const std::string& text : file.dynamic_strings(elf::kDynamicRunpath)) {
      out.runpath.push_back(printable(text));
    }
  } catch (const Error&) {  // the verdict has told
  }

  const elf::Segment* stack = file.find_segment(elf::kSegmentGnuStack);
  const bool wide = file.header().is_64bit;
  out.nx = on(stack != nullptr ? (stack->flags & elf::kFlagExecute) == 0 : wide);
  out.no_writable_code = State::yes;
  for (const elf::Segment& s : file.segments()) {
    constexpr std::uint32_t kBoth = elf::kFlagWrite | elf::kFlagExecute;
    if (s.type == elf::kSegmentLoad && (s.flags & kBoth) == kBoth) out.no_writable_code = State::no;
  }

  const bool relro = file.find_segment(elf::kSegmentGnuRelro) != nullptr;
  if (is_static(signs.kind)) {
    // Go's linker writes no relocated tables into a static program; there is nothing to protect.
    out.relro = relro ? State::yes
                : signs.toolchain.language == "Go" && signs.kind == Kind::static_executable
                    ? State::not_applicable
                    : State::no;
  } else {
    out.relro = !relro ? State::no : binds_now(dynamic) ? State::yes : State::partial;
  }
  out.pie = signs.kind == Kind::shared_object ? State::not_applicable
                                              : on(file.header().type == elf::kTypeDyn);
  find_compiled_in(signs, out);
  find_control_flow(file, out);
  out.debug_info = has_debug_info(file);
  return out;
}

}  // namespace whittle::analyzer
