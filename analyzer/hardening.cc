// SPDX-License-Identifier: MIT
//
// What makes a program's mistakes harder to exploit, read from what the linker and the compiler
// left:
//
//   NX        PT_GNU_STACK without the execute flag. Where the segment is missing, 32-bit programs
//             get an executable stack; 64-bit ones do not on Linux 5.8 and later.
//   RELRO     PT_GNU_RELRO: tables that the loader fills are read-only afterwards. Full where the
//             loader fills all of them at the start (BIND_NOW), partial otherwise. A static program
//             fills its own: static_relro.h.
//   PIE       loaded at an address that differs from run to run.
//   canary    a value below the return address that is checked (__stack_chk_fail).
//   FORTIFY   checked forms of memcpy and the like (__memcpy_chk). A program that calls nothing of
//             which there is such a form has nothing to check.
//   CET       x86: landing pads for indirect jumps (IBT), a second stack of return addresses
//             (SHSTK). BTI, PAC: the same ideas on aarch64. All in the note GNU/property.
//
// Canaries and FORTIFY guard against C's memory errors. Go and safe Rust check bounds instead, so
// there the question does not arise ("not applicable"), unless parts in C are linked in that have
// them. A static program does not tell by its symbols, if it has any: the C library's own start-up
// code brings __stack_chk_fail along (musl, glibc) and calls checked functions (glibc).
#include "analyzer/hardening.h"

#include <algorithm>
#include <iterator>

#include "analyzer/static_relro.h"
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

// What glibc 2.36 has a checked form of, in order.
constexpr std::string_view kCheckable[] = {
    "asprintf",        "confstr",        "dprintf",        "explicit_bzero",
    "fgets",           "fgets_unlocked", "fgetws",         "fgetws_unlocked",
    "fprintf",         "fread",          "fread_unlocked", "fwprintf",
    "getcwd",          "getdomainname",  "getgroups",      "gethostname",
    "getlogin_r",      "gets",           "getwd",          "longjmp",
    "mbsnrtowcs",      "mbsrtowcs",      "mbstowcs",       "memcpy",
    "memmove",         "mempcpy",        "memset",         "obstack_printf",
    "obstack_vprintf", "poll",           "ppoll",          "pread",
    "pread64",         "printf",         "ptsname_r",      "read",
    "readlink",        "readlinkat",     "realpath",       "recv",
    "recvfrom",        "snprintf",       "sprintf",        "stpcpy",
    "stpncpy",         "strcat",         "strcpy",         "strncat",
    "strncpy",         "swprintf",       "syslog",         "ttyname_r",
    "vasprintf",       "vdprintf",       "vfprintf",       "vfwprintf",
    "vprintf",         "vsnprintf",      "vsprintf",       "vswprintf",
    "vsyslog",         "vwprintf",       "wcpcpy",         "wcpncpy",
    "wcrtomb",         "wcscat",         "wcscpy",         "wcsncat",
    "wcsncpy",         "wcsnrtombs",     "wcsrtombs",      "wcstombs",
    "wctomb",          "wmemcpy",        "wmemmove",       "wmempcpy",
    "wmemset",         "wprintf",
};

bool is_checkable(std::string_view name) {
  return std::binary_search(std::begin(kCheckable), std::end(kCheckable), name);
}

// "__memcpy_chk"; not __stack_chk_fail's kin and what a static C library refers to itself.
bool is_checked(std::string_view name) {
  return name.starts_with("__") && name.ends_with("_chk") && name != "__stack_chk" &&
         name != "__vdso_chk";
}

struct Guards {
  State canary = State::unknown, fortify = State::unknown;
};

Guards find_guards(const HardeningSigns& signs) {
  const bool is_static = analyzer::is_static(signs.kind);
  const std::vector<Symbol>& symbols = is_static ? signs.symbols : signs.dynamic_symbols;
  if (symbols.empty()) return {};
  bool canary = false, checked = false, unchecked = false;
  for (const Symbol& symbol : symbols) {
    canary = canary || symbol.name == "__stack_chk_fail" || symbol.name == "__stack_chk_guard";
    checked = checked || is_checked(symbol.name);
    unchecked = unchecked || (!symbol.defined && is_checkable(symbol.name));
  }
  if (!is_static) {
    return {on(canary), checked ? State::yes : unchecked ? State::no : State::not_applicable};
  }
  const bool is_glibc = signs.toolchain.libc == "glibc";
  return {canary ? State::unknown : State::no, checked && is_glibc ? State::unknown : on(checked)};
}

void find_compiled_in(const HardeningSigns& signs, Hardening& out) {
  Guards guards = find_guards(signs);
  if (signs.toolchain.language == "Go" || signs.toolchain.language == "Rust") {
    for (State* guard : {&guards.canary, &guards.fortify}) {
      if (*guard != State::yes) *guard = State::not_applicable;
    }
  }
  out.canary = guards.canary;
  out.fortify = guards.fortify;
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
  const bool plain_go =
      signs.toolchain.language == "Go" && signs.kind == Kind::static_executable && !relro;
  if (plain_go) {
    // Go's linker writes no relocated tables into a static program; there is nothing to protect.
    out.relro = State::not_applicable;
  } else if (is_static(signs.kind)) {
    out.relro = find_static_relro(file, signs.toolchain.libc);
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
