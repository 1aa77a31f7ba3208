// SPDX-License-Identifier: MIT
//
// What makes a program static is what it does not ask for. The kernel loads an interpreter (the
// dynamic loader, ld.so) when there is a PT_INTERP; the loader then loads what DT_NEEDED names. A
// program with neither runs in an empty root filesystem. PT_INTERP alone is enough to fail: Go's
// -buildmode=pie has one and no DT_NEEDED.
//
// ET_DYN is the type of shared libraries and of position-independent executables (PIE) alike. The
// linker tells them apart by DF_1_PIE since binutils 2.26 and LLD 11. Without the flag we look at
// what linkers write into one of the two only: DT_SONAME into libraries, DT_DEBUG (a slot for
// debuggers) into executables; an entry point in code is needed to run at all. An ET_DYN without
// any dynamic section (what executable packers write) cannot be linked against, so it is a program.
//
// Linux does not look at EI_CLASS or EI_DATA: it takes e_machine's word for both. A reader that
// believes a damaged (or forged) class reads other fields than the kernel does, finds no segments,
// no interpreter, and calls a dynamic program static. Hence `check_class`: where the kernel could
// read the header in another way than we did, there is an error and no verdict. A wrong EI_DATA
// swaps the bytes of e_type, which leaves no valid type.
//
// An image of ours runs on Linux. A program for another system is not called static, however it is
// linked: common/system.h knows what marks one.
#include "analyzer/verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.h"
#include "common/foreign_packer.h"
#include "common/text.h"

namespace whittle::analyzer {
namespace {

[[noreturn]] void malformed(const elf::File& file, std::string_view what, std::uint64_t offset) {
  throw Error(ErrorKind::malformed, file.path(), what, offset);
}

void check_class(const elf::File& file) {
  const elf::Header& header = file.header();
  if (header.is_64bit) {
    if (header.machine == elf::kMachine386 || header.machine == elf::kMachineArm) {
      malformed(file,
                fmt::format("the ELF class is 64-bit, which {} does not have; the header is "
                            "damaged",
                            elf::machine_name(header)),
                4);
    }
    return;
  }
  // x32 and aarch64's ILP32 are 32-bit files of 64-bit machines. In those, the place where a 64-bit
  // header has e_phentsize belongs to the type of the first segment, which is never 56 << 16.
  const ByteReader reader(file.bytes(), header.order, file.path());
  constexpr std::uint64_t kPhentsize64 = 54;
  if (reader.size() >= 64 && reader.u16(kPhentsize64, "e_phentsize") == 56) {
    malformed(file, "the ELF class is 32-bit but the header is laid out as a 64-bit one", 4);
  }
}

bool in_code(const elf::File& file, std::uint64_t vaddr) {
  return std::any_of(file.segments().begin(), file.segments().end(), [&](const elf::Segment& s) {
    return s.type == elf::kSegmentLoad && (s.flags & elf::kFlagExecute) != 0 && vaddr >= s.vaddr &&
           vaddr - s.vaddr < s.memsz;
  });
}

std::size_t count_segments(const elf::File& file, std::uint32_t type) {
  return static_cast<std::size_t>(
      std::count_if(file.segments().begin(), file.segments().end(),
                    [type](const elf::Segment& s) { return s.type == type; }));
}

void add_warnings(const elf::File& file, std::vector<std::string>& warnings) {
  const elf::Header& header = file.header();
  if (header.ehsize != (header.is_64bit ? 64 : 52)) {
    warnings.push_back(
        fmt::format("e_ehsize is {}, not {}", header.ehsize, header.is_64bit ? 64 : 52));
  }
  if (!file.section_problem().empty()) {
    warnings.push_back("section headers are unreadable: " + file.section_problem());
  }
  for (const auto& [type, label] : {std::pair{elf::kSegmentInterp, "PT_INTERP"},
                                    std::pair{elf::kSegmentDynamic, "PT_DYNAMIC"}}) {
    if (count_segments(file, type) > 1) {
      warnings.push_back(fmt::format("more than one {}; the first counts", label));
    }
  }
  std::uint64_t last = 0;
  for (const elf::Segment& s : file.segments()) {
    if (s.type != elf::kSegmentLoad) continue;
    if (s.vaddr < last) warnings.push_back("loadable segments are not in ascending order");
    last = s.vaddr;
    if ((s.flags & elf::kFlagWrite) != 0 && (s.flags & elf::kFlagExecute) != 0) {
      warnings.push_back(
          fmt::format("the segment at {:#x} is writable and executable at once", s.vaddr));
    }
    if (s.filesz != 0 && (s.offset & 0xfff) != (s.vaddr & 0xfff)) {
      warnings.push_back(
          fmt::format("the segment at {:#x} does not lie at the same place in its "
                      "page as in the file; the kernel refuses it",
                      s.vaddr));
    }
  }
  constexpr std::size_t kMaxWarnings = 32;
  if (warnings.size() > kMaxWarnings) warnings.resize(kMaxWarnings);
}

// What the dynamic section and the header say about an executable or library.
struct Signs {
  bool dynamic_section = false;
  bool pie = false;    // DF_1_PIE
  bool debug = false;  // DT_DEBUG
  std::string soname;
  bool has_soname = false;
  bool entry_in_code = false;
};

Signs read_signs(const elf::File& file) {
  Signs signs;
  signs.dynamic_section = file.find_segment(elf::kSegmentDynamic) != nullptr;
  for (const elf::DynamicEntry& entry : file.dynamic()) {
    if (entry.tag == elf::kDynamicFlags1) signs.pie = (entry.value & elf::kDynamicFlags1Pie) != 0;
    if (entry.tag == elf::kDynamicDebug) signs.debug = true;
  }
  const auto soname = file.dynamic_strings(elf::kDynamicSoname);
  signs.has_soname = !soname.empty();
  if (signs.has_soname) signs.soname = printable(soname.front());
  signs.entry_in_code = in_code(file, file.header().entry);
  return signs;
}

void judge_position_independent(const elf::File& file, const Signs& signs, Verdict& verdict) {
  const bool asks = !verdict.interpreter.empty() || !verdict.needed.empty();
  const auto reason = [&](std::string id, std::string text) {
    verdict.reasons.push_back({std::move(id), std::move(text)});
  };
  if (signs.pie) {
    reason("type/pie", "is marked as a position-independent executable (DF_1_PIE)");
    verdict.kind = asks ? Kind::dynamic_executable : Kind::static_pie;
  } else if (signs.has_soname) {
    reason("shared/soname",
           fmt::format("names itself as the library {} (DT_SONAME)", signs.soname));
    verdict.kind = Kind::shared_object;
  } else if (!verdict.interpreter.empty()) {
    reason("type/dyn", "is position-independent (ET_DYN) without DF_1_PIE");
    verdict.kind = Kind::dynamic_executable;
  } else if (!signs.entry_in_code) {
    reason("shared/no-entry",
           fmt::format("has no entry point in code (e_entry is {:#x})", file.header().entry));
    verdict.kind = Kind::shared_object;
  } else if (!signs.dynamic_section) {
    reason("type/dyn-without-dynamic",
           "is position-independent (ET_DYN) with an entry point and no dynamic section, which no "
           "library lacks");
    verdict.kind = Kind::static_pie;
  } else if (signs.debug) {
    reason("type/dyn-debug",
           "is taken for an executable by its DT_DEBUG and entry point; DF_1_PIE, which newer "
           "linkers set, is missing");
    verdict.kind = asks ? Kind::dynamic_executable : Kind::static_pie;
  } else {
    reason("shared/no-program-sign",
           "is taken for a library: neither DF_1_PIE nor DT_DEBUG says that it is a program; "
           "relink with a newer linker if it is one");
    verdict.kind = Kind::shared_object;
  }
}

// A packer's headers are no sign that the program inside is static, but if they ask for libraries,
// so does that.
void judge_packing(const ForeignPacker& packer, Verdict& verdict) {
  const std::string text =
      fmt::format("is packed by {}: its contents are hidden", name_and_version(packer));
  if (!is_static(verdict.kind)) {
    verdict.warnings.push_back(text);
    return;
  }
  verdict.kind = Kind::packed;
  verdict.reasons = {
      {"packed/contents-hidden",
       text + ", so it cannot be known whether it is static; audit what `upx -d` makes of it"}};
}

void judge_system(const elf::System& system, Verdict& verdict) {
  if (system.runs_on_linux) return;
  if (!is_static(verdict.kind) && verdict.kind != Kind::dynamic_executable) return;
  verdict.kind = Kind::other_system;
  verdict.reasons.insert(verdict.reasons.begin(), {fmt::format("other-system/{}", system.sign),
                                                   fmt::format("is made for {}, not for Linux: {}",
                                                               system.name, system.reason)});
}

}  // namespace

void require_searchable(const elf::File& file) {
  if (file.claims_too_much()) {
    malformed(file, "the program headers claim the file's bytes many times over; they are damaged",
              file.header().phoff);
  }
}

Verdict judge(const elf::File& file, const elf::System& system) {
  require_searchable(file);
  const elf::Header& header = file.header();
  Verdict verdict;
  if (header.type == elf::kTypeRel) {
    verdict.kind = Kind::relocatable;
    verdict.reasons = {{"relocatable/type", "is a relocatable object (ET_REL), not linked yet"}};
    return verdict;
  }
  if (header.type == elf::kTypeCore) {
    verdict.kind = Kind::core;
    verdict.reasons = {{"core/type", "is a core dump (ET_CORE)"}};
    return verdict;
  }
  if (header.type != elf::kTypeExec && header.type != elf::kTypeDyn) {
    malformed(file,
              fmt::format("the ELF type is {}, not that of an object, executable, library or core; "
                          "the header is damaged",
                          header.type),
              16);
  }
  check_class(file);
  if (file.find_segment(elf::kSegmentLoad) == nullptr) {
    malformed(file, "an executable without a loadable segment; the header is damaged",
              header.is_64bit ? 56 : 44);
  }

  const auto interpreter = file.interpreter();
  if (interpreter) {
    verdict.interpreter = printable(*interpreter);
    verdict.reasons.push_back(
        {"dynamic/interpreter", "asks for the interpreter " + verdict.interpreter});
  }
  for (const std::string& library : file.dynamic_strings(elf::kDynamicNeeded)) {
    verdict.needed.push_back(printable(library));
    verdict.reasons.push_back(
        {"dynamic/needed", "needs the shared library " + verdict.needed.back()});
  }

  const Signs signs = read_signs(file);
  if (header.type == elf::kTypeDyn) {
    judge_position_independent(file, signs, verdict);
  } else {
    verdict.kind = verdict.reasons.empty() ? Kind::static_executable : Kind::dynamic_executable;
    verdict.reasons.push_back({"type/exec", "is an executable at fixed addresses (ET_EXEC)"});
  }
  if (is_static(verdict.kind)) {
    verdict.reasons.push_back({"static/no-interpreter", "asks for no interpreter (PT_INTERP)"});
    verdict.reasons.push_back({"static/no-needed", "needs no shared library (DT_NEEDED)"});
  }

  judge_system(system, verdict);
  if (const auto packer = find_foreign_packer(file)) judge_packing(*packer, verdict);

  add_warnings(file, verdict.warnings);
  if (!interpreter && !verdict.needed.empty() && verdict.kind == Kind::dynamic_executable) {
    verdict.warnings.push_back("needs shared libraries but asks for no interpreter to load them");
  }
  if (verdict.kind != Kind::shared_object && !signs.entry_in_code) {
    verdict.warnings.push_back(
        fmt::format("the entry point {:#x} is in no executable segment", header.entry));
  }
  return verdict;
}

}  // namespace whittle::analyzer
