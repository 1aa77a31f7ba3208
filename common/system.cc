// SPDX-License-Identifier: MIT
#include "common/system.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "common/error.h"
#include "common/go_buildinfo.h"
#include "common/text.h"

namespace whittle::elf {
namespace {

constexpr std::string_view kLinux = "Linux", kAndroid = "Android", kBareMetal = "bare metal";
constexpr std::string_view kFreeBsd = "FreeBSD", kNetBsd = "NetBSD", kOpenBsd = "OpenBSD";
constexpr std::string_view kDragonFly = "DragonFly BSD", kSolaris = "Solaris or illumos";
constexpr std::string_view kHurd = "GNU Hurd";

template <typename Key>
struct Row {
  Key key;
  std::string_view system;
};

template <typename Key, std::size_t size, typename Wanted>
std::string_view find(const Row<Key> (&table)[size], const Wanted& wanted) {
  for (const Row<Key>& row : table) {
    if (row.key == wanted) return row.system;
  }
  return {};
}

constexpr Row<std::uint8_t> kOsAbis[] = {
    {1, "HP-UX"},     {2, kNetBsd},    {3, kLinux},      {4, kHurd},         {6, kSolaris},
    {7, "AIX"},       {8, "IRIX"},     {9, kFreeBsd},    {10, "Tru64 UNIX"}, {11, "Modesto"},
    {12, kOpenBsd},   {13, "OpenVMS"}, {14, "NonStop"},  {15, "AROS"},       {16, "FenixOS"},
    {17, "CloudABI"}, {18, "OpenVOS"}, {255, kBareMetal}};

// By owner. GNU's is a table of its own.
constexpr Row<std::string_view> kNotes[] = {
    {"FreeBSD", kFreeBsd},     {"NetBSD", kNetBsd},
    {"OpenBSD", kOpenBsd},     {"DragonFly", kDragonFly},
    {"Android", kAndroid},     {"Solo5", "Solo5"},
    {"NaCl", "Native Client"}, {"Xen", "Xen, without a system"}};

// The first word of the GNU ABI tag.
constexpr Row<std::uint32_t> kAbiTags[] = {{0, kLinux},         {1, kHurd},         {2, kSolaris},
                                           {3, "GNU/kFreeBSD"}, {4, "GNU/kNetBSD"}, {5, "Syllable"},
                                           {6, "Native Client"}};

constexpr Row<std::string_view> kInterpreters[] = {
    {"/libexec/ld-elf.so.1", kFreeBsd},
    {"/libexec/ld-elf32.so.1", kFreeBsd},
    {"/usr/libexec/ld-elf.so.1", kFreeBsd},
    {"/libexec/ld.elf_so", kNetBsd},
    {"/usr/libexec/ld.elf_so", kNetBsd},
    {"/usr/libexec/ld.so", kOpenBsd},
    {"/libexec/ld-elf.so.2", kDragonFly},
    {"/usr/libexec/ld-elf.so.2", kDragonFly},
    {"/lib/amd64/ld.so.1", kSolaris},
    {"/lib/64/ld.so.1", kSolaris},
    {"/lib/sparcv9/ld.so.1", kSolaris},
    {"/usr/lib/ld.so.1", kSolaris},
    {"/usr/lib/64/ld.so.1", kSolaris},
    {"/usr/lib/amd64/ld.so.1", kSolaris},
    {"/usr/lib/sparcv9/ld.so.1", kSolaris},
    {"/lib/ld-x86-64.so.1", kHurd},
    {"/lib/ld-kfreebsd-x86-64.so.1", "GNU/kFreeBSD"},
    {"/system/bin/linker", kAndroid},
    {"/system/bin/linker64", kAndroid},
    {"/system/bin/bootstrap/linker64", kAndroid},
    {"/apex/com.android.runtime/bin/linker", kAndroid},
    {"/apex/com.android.runtime/bin/linker64", kAndroid},
    {"/system/runtime_loader", "Haiku"},
    {"/boot/system/runtime_loader", "Haiku"},
    {"/usr/lib/ldqnx.so.2", "QNX"},
    {"/usr/lib/ldqnx-64.so.2", "QNX"},
    {"/usr/lib/Loader.so", "SerenityOS"},
    {"ld.so.1", "Fuchsia"}};

constexpr Row<std::string_view> kGoSystems[] = {
    {"linux", kLinux},      {"android", kAndroid},    {"freebsd", kFreeBsd},
    {"netbsd", kNetBsd},    {"openbsd", kOpenBsd},    {"dragonfly", kDragonFly},
    {"illumos", "illumos"}, {"solaris", "Solaris"},   {"aix", "AIX"},
    {"hurd", kHurd},        {"nacl", "Native Client"}};

// Numbers from 64 on mean what the machine's own ABI says; those of ARM name no system but one.
std::string os_abi_system(const Header& header) {
  constexpr std::uint8_t kArmEabi = 64, kArmFdpic = 65, kArm = 97;
  if (header.os_abi == 0) return {};
  if (header.machine == kMachineArm) {
    if (header.os_abi == kArmEabi || header.os_abi == kArm) return {};
    if (header.os_abi == kArmFdpic) return std::string(kLinux);
  }
  const std::string_view known = find(kOsAbis, header.os_abi);
  return known.empty() ? fmt::format("system {}", header.os_abi) : std::string(known);
}

class Search {
 public:
  void take(std::string_view system, std::string_view sign, std::string reason) {
    if (system.empty() || found_other_) return;
    found_other_ = system != kLinux && system != kAndroid;
    const bool more_exact = system == kAndroid && found_.name == kLinux;
    if (found_.is_known && !found_other_ && !more_exact) return;
    found_ = {.name = std::string(system),
              .runs_on_linux = !found_other_,
              .is_known = true,
              .sign = sign,
              .reason = std::move(reason)};
  }

  System answer() && {
    if (found_.is_known) return std::move(found_);
    return {.name = std::string(kLinux),
            .sign = "none",
            .reason = "nothing in the file names a system"};
  }

 private:
  System found_;
  bool found_other_ = false;
};

void look_at_notes(const File& file, Search& search) {
  for (const Note& note : file.notes()) {
    if (note.owner == "GNU" && note.type == kNoteGnuAbiTag && note.descriptor.size() >= 4) {
      const std::uint32_t word =
          ByteReader(note.descriptor, file.header().order, file.path()).u32(0, "a system");
      const std::string_view known = find(kAbiTags, word);
      search.take(known.empty() ? fmt::format("GNU system {}", word) : known, "note",
                  fmt::format("the system in the note GNU/ABI-tag is {}", word));
    } else if (const std::string_view system = find(kNotes, note.owner); !system.empty()) {
      search.take(system, "note", fmt::format("it has a note of the owner {}", note.owner));
    }
  }
}

void look_at_interpreter(const File& file, Search& search) {
  try {
    const auto interpreter = file.interpreter();
    if (!interpreter) return;
    std::string_view system = find(kInterpreters, *interpreter);
    if (system.empty() && (interpreter->find("/ld-linux") != std::string::npos ||
                           interpreter->find("/ld-musl-") != std::string::npos)) {
      system = kLinux;
    }
    search.take(system, "interpreter", "its interpreter is " + printable(*interpreter));
  } catch (const Error&) {  // whoever needs the interpreter asks for it and gets the error
  }
}

// "GOOS" of the lines "build\tGOOS=linux", written since Go 1.18.
std::string_view goos_of(std::string_view modules) {
  constexpr std::string_view kKey = "\nbuild\tGOOS=";
  const std::size_t at = modules.find(kKey);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = modules.substr(at + kKey.size());
  return rest.substr(0, rest.find('\n'));
}

// Before that, Go's function table tells by the names of the runtime's source files. The BSDs mark
// their files in other ways.
std::string_view goos_of_sources(const File& file) {
  if (file.claims_too_much()) return {};
  for (const auto& [goos, system] : kGoSystems) {
    const std::string name = fmt::format("/runtime/os_{}.go", goos) + '\0';
    for (const Segment& s : file.segments()) {
      if (s.type != kSegmentLoad) continue;
      const std::string_view bytes = as_text(file.bytes().subspan(s.offset, s.filesz));
      if (bytes.find(name) != std::string_view::npos) return goos;
    }
  }
  return {};
}

void look_at_go(const File& file, LookFor look, Search& search) {
  const bool has_section = file.find_section(".go.buildinfo") != nullptr;
  if (look == LookFor::marks && !has_section) return;
  const auto strings = find_go_build_strings(file);
  if (!strings) return;
  constexpr std::size_t kLongest = 32;
  std::string_view goos = goos_of(strings->modules).substr(0, kLongest);
  std::string reason = fmt::format("Go built it with GOOS={}", printable(goos));
  if (goos.empty() && look == LookFor::marks_inside) {
    goos = goos_of_sources(file);
    reason = fmt::format("Go built it from runtime/os_{}.go", goos);
  }
  if (goos.empty()) return;
  const std::string_view known = find(kGoSystems, goos);
  search.take(known.empty() ? printable(goos) : std::string(known), "go", std::move(reason));
}

// The upper half of 64-bit addresses is the kernel's.
void look_at_addresses(const File& file, Search& search) {
  const Header& header = file.header();
  if (!header.is_64bit || (header.type != kTypeExec && header.type != kTypeDyn)) return;
  for (const Segment& s : file.segments()) {
    if (s.type != kSegmentLoad || s.memsz == 0 || s.memory_end() - 1 < std::uint64_t{1} << 63) {
      continue;
    }
    search.take(kBareMetal, "addresses",
                fmt::format("it is linked at {:#x}, where a kernel has its own memory", s.vaddr));
    return;
  }
}

}  // namespace

System system_of(const File& file, LookFor look) {
  Search search;
  // Go tells Solaris and illumos apart, so it is asked before the interpreter is.
  search.take(os_abi_system(file.header()), "os-abi",
              fmt::format("EI_OSABI is {}", file.header().os_abi));
  look_at_notes(file, search);
  look_at_go(file, look, search);
  look_at_interpreter(file, search);
  look_at_addresses(file, search);
  return std::move(search).answer();
}

}  // namespace whittle::elf
