// SPDX-License-Identifier: MIT
#include "packer/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/extent.h"
#include "common/payload_section.h"
#include "common/system.h"

namespace whittle::packer {
namespace {

using elf::Segment;

constexpr std::uint64_t kSmallestPage = 4096, kLargestPage = 65536;
constexpr std::uint64_t kLargestAlign = std::uint64_t{1} << 30;
constexpr std::uint64_t kUserSpaceEnd = std::uint64_t{1} << 47;
constexpr std::uint32_t kSectionFlagExecute = 4;  // SHF_EXECINSTR

std::vector<Segment> loads_of(const elf::File& file) {
  std::vector<Segment> loads;
  for (const Segment& s : file.segments()) {
    if (s.type == elf::kSegmentLoad) loads.push_back(s);
  }
  return loads;
}

std::optional<Refusal> refuse_kind(const elf::File& file, const std::vector<Segment>& loads) {
  const elf::Header& h = file.header();
  if (h.type == elf::kTypeRel || h.type == elf::kTypeCore) {
    return Refusal{"not-executable", h.type == elf::kTypeRel
                                         ? "is a relocatable object; link it first"
                                         : "is a core dump, not a program"};
  }
  if (h.type != elf::kTypeExec && h.type != elf::kTypeDyn) {
    return Refusal{"not-executable",
                   fmt::format("has the ELF type {}, not an executable's", h.type)};
  }
  if (!h.is_64bit || h.order != ByteOrder::little || find_machine(h.machine) == nullptr) {
    return Refusal{"machine",
                   fmt::format("is for {} ({}-bit, {}-endian); packed programs exist for x86-64, "
                               "aarch64 and riscv64",
                               elf::machine_name(h), h.is_64bit ? 64 : 32,
                               h.order == ByteOrder::little ? "little" : "big")};
  }
  // Addresses of a kernel are refused further on, with a code of their own.
  const elf::System system = elf::system_of(file);
  if (!system.runs_on_linux && system.sign != "addresses") {
    return Refusal{"system",
                   fmt::format("is made for {}, not for Linux: {}", system.name, system.reason)};
  }
  if (loads.empty()) return Refusal{"no-segments", "has no loadable segment"};
  if (file.find_segment(elf::kSegmentInterp) != nullptr) {
    return Refusal{"dynamic",
                   "is dynamically linked (it asks for an interpreter); link it statically"};
  }
  std::uint64_t flags1 = 0;
  for (const elf::DynamicEntry& entry : file.dynamic()) {
    if (entry.tag == elf::kDynamicNeeded) {
      return Refusal{"dynamic",
                     "is dynamically linked (it needs shared libraries); link it statically"};
    }
    if (entry.tag == elf::kDynamicFlags1) flags1 = entry.value;
  }
  if (h.type == elf::kTypeDyn && (flags1 & elf::kDynamicFlags1Pie) == 0) {
    return Refusal{"shared-object", "is a shared object (no DF_1_PIE), not a program"};
  }
  return std::nullopt;
}

// Bytes of the file that a program sees behind a read-only segment's own, in the memory that the
// segment claims: systems map whole pages and zero the rest of the last one only where it is
// writable (Linux: padzero in fs/binfmt_elf.c). 0 where they are all zero.
std::uint64_t visible_tail(const elf::File& file, const Segment& s) {
  if ((s.flags & elf::kFlagWrite) != 0 || s.filesz == 0 || s.memsz <= s.filesz) return 0;
  const std::uint64_t in_page = align_up(s.file_end(), kLargestPage) - s.file_end();
  const ByteView after = file.bytes().subspan(s.file_end());
  const ByteView tail = after.first(std::min({in_page, s.memsz - s.filesz, after.size()}));
  const bool zero = std::all_of(tail.begin(), tail.end(), [](std::uint8_t b) { return b == 0; });
  return zero ? 0 : tail.size();
}

std::optional<Refusal> refuse_layout(const elf::File& file, const std::vector<Segment>& loads) {
  const elf::Header& h = file.header();
  if (file.segments().size() > kMaxSegments) {
    return Refusal{"segments", fmt::format("has {} program headers, more than {}",
                                           file.segments().size(), kMaxSegments)};
  }
  std::uint64_t previous_end = 0;
  for (const Segment& s : loads) {
    if ((s.flags & ~std::uint32_t{7}) != 0) {
      return Refusal{"segment-flags",
                     fmt::format("has a segment with unknown flags {:#x}", s.flags)};
    }
    if (s.align > kLargestAlign || (s.align & (s.align - 1)) != 0) {
      return Refusal{"alignment", fmt::format("has a segment aligned to {:#x}", s.align)};
    }
    if (s.vaddr % kSmallestPage != s.offset % kSmallestPage && s.filesz != 0) {
      return Refusal{"alignment", fmt::format("has a segment at {:#x} that is not congruent with "
                                              "its file offset {:#x}",
                                              s.vaddr, s.offset)};
    }
    if (s.vaddr >= kUserSpaceEnd || s.memsz > kUserSpaceEnd - s.vaddr) {
      return Refusal{"address", fmt::format("has a segment at {:#x}, outside user space", s.vaddr)};
    }
    if (align_down(s.vaddr, kSmallestPage) < previous_end) {
      return Refusal{"overlap", fmt::format("has segments that share a page or are out of order, "
                                            "at {:#x}",
                                            s.vaddr)};
    }
    previous_end = align_up(s.memory_end(), kSmallestPage);
  }
  for (const Segment& s : loads) {
    if (const std::uint64_t tail = visible_tail(file, s)) {
      return Refusal{
          "segment-tail",
          fmt::format("has a read-only segment at {:#x} that is larger in memory than in "
                      "the file: systems show {} bytes there that follow it in the "
                      "file, and a packed file would show zeros",
                      s.vaddr, tail)};
    }
  }
  const bool entry_ok = std::any_of(loads.begin(), loads.end(), [&](const Segment& s) {
    return (s.flags & elf::kFlagExecute) != 0 && h.entry >= s.vaddr && h.entry - s.vaddr < s.filesz;
  });
  if (!entry_ok) {
    return Refusal{
        "entry", fmt::format("has its entry point {:#x} outside any executable segment", h.entry)};
  }
  const std::uint64_t begin = align_down(loads.front().vaddr, kSmallestPage);
  if (previous_end - begin > kMaxImageSize) {
    return Refusal{"sparse",
                   fmt::format("spreads over {} bytes of address space", previous_end - begin)};
  }
  if (h.type == elf::kTypeExec && begin == 0) {
    return Refusal{"address", "is linked at address 0, which systems do not allow programs to map"};
  }
  // The packed file's own pages go after the image.
  if (kUserSpaceEnd - previous_end < kMaxFileSize * 2) {
    return Refusal{"address", "is linked too close to the end of user space"};
  }
  if (file.bytes().size() > kMaxFileSize) {
    return Refusal{"too-large",
                   fmt::format("has {} bytes, more than {}", file.bytes().size(), kMaxFileSize)};
  }
  // Segments may share file bytes, so they can hold more than the file does.
  std::uint64_t raw_size = 0;
  for (const Segment& s : loads) raw_size += s.filesz;
  if (raw_size > kMaxFileSize) {
    return Refusal{"too-large", fmt::format("has {} bytes in its segments, more than {}", raw_size,
                                            kMaxFileSize)};
  }
  return std::nullopt;
}

// Whether the kernel can map the segments in pages of this size: each lies in the file as it does
// in memory, no two share a page, and none needs the page at address 0. What p_align claims is not
// asked: it says more than that where a linker only wanted room between segments, and less where
// segments happen to lie well.
bool can_run_with(std::uint64_t page, const elf::File& file, const std::vector<Segment>& loads) {
  if (file.header().type == elf::kTypeExec && loads.front().vaddr < page) return false;
  std::uint64_t previous_end = 0;
  for (const Segment& s : loads) {
    if (s.filesz != 0 && s.vaddr % page != s.offset % page) return false;
    if (align_down(s.vaddr, page) < previous_end) return false;
    previous_end = align_up(s.memory_end(), page);
  }
  return true;
}

// The largest page size of 4, 16 and 64 KiB that machine and original have in common. The packed
// form is laid out for it and runs on every system that the original runs on.
std::uint64_t page_size_of(const elf::File& file, const std::vector<Segment>& loads,
                           std::uint64_t largest) {
  std::uint64_t page = largest;
  while (page > kSmallestPage && !can_run_with(page, file, loads)) page /= 4;
  return page;
}

// The virtual address at which the kernel told the original to find its program headers.
std::optional<std::uint64_t> find_phdr_vaddr(const elf::File& file,
                                             const std::vector<Segment>& loads) {
  const elf::Header& h = file.header();
  const std::uint64_t size = std::uint64_t{h.phnum} * h.phentsize;
  for (const Segment& s : loads) {
    if (h.phoff >= s.offset && in_bounds(h.phoff - s.offset, size, s.filesz)) {
      return s.vaddr + (h.phoff - s.offset);
    }
  }
  return std::nullopt;
}

// Where a segment's code is: its executable sections where there are section headers, else all of
// it but the headers at its start.
void add_code(const elf::File& file, const Segment& segment, std::vector<AddressRange>& code) {
  std::uint64_t begin = UINT64_MAX, end = 0;
  for (const elf::Section& s : file.sections()) {
    if ((s.flags & kSectionFlagExecute) == 0 || !s.has_bytes()) continue;
    if (s.addr >= segment.vaddr && in_bounds(s.addr - segment.vaddr, s.size, segment.filesz)) {
      begin = std::min(begin, s.addr);
      end = std::max(end, s.addr + s.size);
    }
  }
  if (begin >= end) {
    const elf::Header& h = file.header();
    const std::uint64_t headers = h.phoff + std::uint64_t{h.phnum} * h.phentsize;
    begin = segment.vaddr;
    if (segment.offset == 0) begin += std::min(headers, segment.filesz);
    end = segment.vaddr + segment.filesz;
  }
  if (end > begin) code.push_back({begin, end - begin});
}

// Bytes of symbol tables, their strings and debug information that no segment loads.
std::uint64_t symbol_bytes_of(const elf::File& file) {
  std::uint64_t bytes = 0;
  for (const elf::Section& s : file.sections()) {
    if (!s.has_bytes() || (s.flags & elf::kSectionFlagAlloc) != 0) continue;
    const std::string_view name = s.name;
    if (s.type == elf::kSectionSymTab || name == ".strtab" || name.starts_with(".debug_") ||
        name.starts_with(".zdebug_")) {
      bytes += s.size;
    }
  }
  return bytes;
}

// As Linux does it (arch_elf_adjust_prot) for programs without an interpreter.
std::uint32_t guard_of(const elf::File& file, const Segment& segment) {
  constexpr std::uint32_t kBti = 1;
  const bool is_guarded = file.header().machine == elf::kMachineAarch64 &&
                          file.find_segment(elf::kSegmentGnuProperty) != nullptr &&
                          (file.gnu_property(elf::kPropertyAarch64) & kBti) != 0;
  return is_guarded && (segment.flags & elf::kFlagExecute) != 0 ? kGuardBti : 0;
}

// Unused bytes between the end of an executable segment and the end of its page: of the smallest
// one, which is there whatever the page size.
std::uint64_t find_escape(const std::vector<Segment>& loads) {
  for (const Segment& s : loads) {
    if ((s.flags & elf::kFlagExecute) == 0 || s.filesz != s.memsz || s.memsz == 0) continue;
    const std::uint64_t begin = align_up(s.memory_end(), 16);
    if (begin + kEscapeSize <= align_up(s.memory_end(), kSmallestPage)) return begin;
  }
  return 0;
}

}  // namespace

std::variant<PackPlan, Refusal> plan(const elf::File& file) {
  const std::vector<Segment> loads = loads_of(file);
  if (auto refusal = refuse_kind(file, loads)) return *refusal;
  if (auto refusal = refuse_layout(file, loads)) return *refusal;
  const elf::Extent extent = elf::measure_extent(file);
  if (extent.overlay != 0) {
    return Refusal{"overlay", fmt::format("has {} bytes appended to the program (an archive?), "
                                          "which the program may look for in its own file",
                                          extent.overlay)};
  }
  if (extent.in_gaps != 0) {
    return Refusal{"overlay", fmt::format("has {} bytes between what its headers describe that are "
                                          "not zero, and the program may look for them in its own "
                                          "file",
                                          extent.in_gaps)};
  }
  if (const elf::Section* section = elf::find_payload_section(file)) {
    return Refusal{"payload-section",
                   fmt::format("has {} bytes in a section `{}` that is not loaded, which the "
                               "program may look for in its own file; if it does not, remove them: "
                               "objcopy --remove-section={} FILE",
                               section->size, section->name, section->name)};
  }
  PackPlan plan;
  const auto phdr_vaddr = find_phdr_vaddr(file, loads);
  if (!phdr_vaddr) {
    return Refusal{"headers-not-loaded",
                   "does not load its program headers, where its libc looks for them"};
  }
  plan.machine = find_machine(file.header().machine);
  plan.phdr_vaddr = *phdr_vaddr;
  plan.page_size = page_size_of(file, loads, plan.machine->page_size);
  plan.image_vaddr = align_down(loads.front().vaddr, plan.page_size);
  plan.image_size = align_up(loads.back().memory_end(), kSmallestPage) - plan.image_vaddr;
  plan.image_align = plan.page_size;
  for (const Segment& s : loads) {
    plan.segments.push_back({.vaddr = s.vaddr,
                             .memory_size = s.memsz,
                             .file_size = s.filesz,
                             .file_offset = s.offset,
                             .flags = s.flags,
                             .guard = guard_of(file, s)});
    plan.image_align = std::max(plan.image_align, s.align);
    if ((s.flags & elf::kFlagExecute) != 0) add_code(file, s, plan.code);
    if ((s.flags & elf::kFlagExecute) != 0 && (s.flags & elf::kFlagWrite) != 0) {
      plan.warnings.push_back(fmt::format(
          "the segment at {:#x} is writable and executable, and stays so when packed", s.vaddr));
    }
  }
  plan.rest = uncovered_ranges(plan.segments, file.bytes().size());
  plan.symbol_bytes = symbol_bytes_of(file);
  plan.escape_vaddr = find_escape(loads);
  if (const Segment* stack = file.find_segment(elf::kSegmentGnuStack)) {
    plan.stack_flags = stack->flags;
  }
  return plan;
}

}  // namespace whittle::packer
