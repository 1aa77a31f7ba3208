// SPDX-License-Identifier: MIT
#include "analyzer/static_relro.h"

#include <algorithm>
#include <optional>

namespace whittle::analyzer {
namespace {

// The number of IRELATIVE and where its addend is: in the entry (RELA) or in the slot (REL).
// Sources: each machine's psABI; glibc's elf.h.
struct IndirectKind {
  std::uint16_t machine;
  std::uint32_t number;
  bool has_addend;
};
constexpr IndirectKind kIndirectKinds[] = {
    {elf::kMachineX86_64, 37, true}, {elf::kMachine386, 42, false},
    {elf::kMachineArm, 160, false},  {elf::kMachineAarch64, 1032, true},
    {elf::kMachineRiscv, 58, true},  {elf::kMachinePpc64, 248, true},
    {elf::kMachineS390, 61, true},   {elf::kMachineLoongArch, 12, true},
};

const IndirectKind* indirect_kind(const elf::Header& header) {
  for (const IndirectKind& kind : kIndirectKinds) {
    if (kind.machine == header.machine) return &kind;
  }
  return nullptr;
}

class Slots {
 public:
  Slots(const elf::File& file, const IndirectKind& kind)
      : file_(file),
        reader_(file.bytes(), file.header().order, file.path()),
        kind_(kind),
        word_(file.header().is_64bit ? 8 : 4) {}

  // True where a slot of an indirect function is outside of [begin, end).
  bool any_outside(std::uint64_t begin, std::uint64_t end) const {
    const std::uint64_t size = word_ * (kind_.has_addend ? 3 : 2);
    for (const elf::Segment& s : file_.segments()) {
      if (s.type != elf::kSegmentLoad || (s.flags & elf::kFlagWrite) != 0) continue;
      for (std::uint64_t at = 0; in_bounds(at, size, s.filesz); at += word_) {
        const auto slot = slot_of(s.offset + at);
        if (slot && (*slot < begin || *slot >= end)) return true;
      }
    }
    return false;
  }

 private:
  std::uint64_t word(std::uint64_t offset) const {
    return word_ == 8 ? reader_.u64(offset, "a word") : reader_.u32(offset, "a word");
  }

  bool is_in(std::uint64_t vaddr, std::uint32_t flag) const {
    return std::any_of(file_.segments().begin(), file_.segments().end(),
                       [&](const elf::Segment& s) {
                         return s.type == elf::kSegmentLoad && (s.flags & flag) != 0 &&
                                vaddr >= s.vaddr && vaddr - s.vaddr < s.filesz;
                       });
  }

  // The slot that the entry at a file offset fills, if it is an entry.
  std::optional<std::uint64_t> slot_of(std::uint64_t entry) const {
    if (word(entry + word_) != kind_.number) return std::nullopt;
    const std::uint64_t slot = word(entry);
    if (!is_in(slot, elf::kFlagWrite)) return std::nullopt;
    if (kind_.has_addend) {
      return is_in(word(entry + 2 * word_), elf::kFlagExecute) ? std::optional(slot) : std::nullopt;
    }
    const auto offset = file_.offset_of(slot, word_);
    return offset && is_in(word(*offset), elf::kFlagExecute) ? std::optional(slot) : std::nullopt;
  }

  const elf::File& file_;
  ByteReader reader_;
  const IndirectKind& kind_;
  std::uint64_t word_;  // bytes
};

}  // namespace

HardeningState find_static_relro(const elf::File& file, std::string_view libc) {
  const elf::Segment* relro = file.find_segment(elf::kSegmentGnuRelro);
  if (relro == nullptr || libc == "musl") return HardeningState::no;
  const IndirectKind* kind = indirect_kind(file.header());
  if (libc != "glibc" || kind == nullptr) return HardeningState::unknown;
  // glibc protects whole pages, up to the last one that the range ends in. Larger pages than these
  // protect less, but linkers end the range where the largest page of the machine ends.
  constexpr std::uint64_t kPage = 4096;
  const std::uint64_t end = relro->memory_end() / kPage * kPage;
  return Slots(file, *kind).any_outside(relro->vaddr, end) ? HardeningState::partial
                                                           : HardeningState::yes;
}

}  // namespace whittle::analyzer
