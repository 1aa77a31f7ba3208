// SPDX-License-Identifier: MIT
#include "packer/stub/start/load.h"

#include "packer/stub/base/linux.h"
#include "packer/stub/start/die.h"
#include "packer/stub/start/process_stack.h"
#include "packer/stub/start/protect.h"
#include "packer/stub/start/workers.h"

namespace whittle::stub {
namespace {

using packer::PackHeader;
using packer::PackSegment;

extern "C" {
__attribute__((visibility("hidden"))) extern const uint8_t whittle_escape[], whittle_escape_end[],
    whittle_entry[], whittle_end[];
}

int protection_of(uint32_t flags) {
  return (flags & 4 ? kProtRead : 0) | (flags & 2 ? kProtWrite : 0) | (flags & 1 ? kProtExec : 0);
}

// A program on its way from the packed file to its own memory.
struct Load {
  uint64_t* sp;
  const ProcessStack& stack;
  const PackHeader* header;
  const Packed& packed;
  uint64_t bias;
  uint64_t page;  // bytes
  uint64_t image = header->image_vaddr + bias;
  uint64_t image_end = page_up(image + header->image_size);

  uint64_t page_down(uint64_t address) const { return address & ~(page - 1); }
  uint64_t page_up(uint64_t address) const { return (address + page - 1) & ~(page - 1); }

  // Fresh memory for the whole image.
  void map_image() const {
    const long mapped = sys_mmap(image, image_end - image, kProtRead | kProtWrite,
                                 kMapPrivate | kMapFixed | kMapAnonymous, -1);
    if (failed(mapped)) die(sp, packer::kExitNoMemory);
    // Advice covers what will be filled and not the zero memory behind it, which would cost memory.
    uint64_t filled_end = image;
    for (uint32_t i = 0; i < header->segment_count; i++) {
      const uint64_t end = packed.segments[i].vaddr + packed.segments[i].file_size + bias;
      if (packed.segments[i].file_size != 0 && end > filled_end) filled_end = end;
    }
    constexpr uint64_t kHugePage = uint64_t{2} << 20;
    if (filled_end - image >= kHugePage) {
      sys_madvise(image, page_down(filled_end) - image, kMadvHugepage);
    }
  }

  void fill_image() const {
    const WorkersStatus status =
        expand_with_workers(packed, reinterpret_cast<uint8_t*>(image), image_end - image);
    if (status == WorkersStatus::no_memory) die(sp, packer::kExitNoMemory);
    if (status != WorkersStatus::ok) die(sp, packer::kExitDamaged);
    // The stub's last instructions, which unmap it, where the image has room for them.
    if (header->escape_vaddr != 0) {
      auto* escape = reinterpret_cast<uint8_t*>(header->escape_vaddr + bias);
      const auto size = static_cast<size_t>(whittle_escape_end - whittle_escape);
      for (size_t i = 0; i < size; i++) escape[i] = whittle_escape[i];
    }
  }

  // What the kernel would have mapped, with the protection that it would have given it.
  void protect_segments() const {
    uint64_t previous_end = image;
    for (uint32_t i = 0; i < header->segment_count; i++) {
      const PackSegment& segment = packed.segments[i];
      const uint64_t begin = page_down(segment.vaddr + bias);
      const uint64_t end = page_up(segment.vaddr + segment.memory_size + bias);
      if (begin > previous_end) sys_munmap(previous_end, begin - previous_end);
      previous_end = end;
      const int protection = protection_of(segment.flags);
      if (begin == end || protection == (kProtRead | kProtWrite)) continue;
      // To the page's end, where the escape may lie.
      if (!protect(begin, end, protection, segment.guard)) {
        die(sp, packer::kExitForbidden);
      }
    }
  }

  // What the program reads of itself, and what the entry code does last.
  void hand_off(Handoff* handoff) const {
    stack.patch(kAuxPhdr, header->phdr_vaddr + bias);
    stack.patch(kAuxPhnum, header->phnum);
    stack.patch(kAuxEntry, header->entry + bias);

    handoff->entry = header->entry + bias;
    if (header->escape_vaddr != 0) {
      handoff->escape = header->escape_vaddr + bias;
      handoff->unmap_address = reinterpret_cast<uint64_t>(whittle_entry);
      handoff->unmap_size = static_cast<uint64_t>(whittle_end - whittle_entry);
    } else {
      // No room behind any code: the stub stays, read-only and executable, and munmap fails on
      // purpose.
      handoff->escape = reinterpret_cast<uint64_t>(whittle_escape);
      handoff->unmap_address = 0;
      handoff->unmap_size = 0;
    }
  }

  void unmap_file() const {
    const uint64_t payload = page_down(header->payload_vaddr + bias);
    sys_munmap(payload, page_up(header->payload_vaddr + header->payload_size + bias) - payload);
    const uint64_t folded = page_down(header->stub_vaddr + bias);  // the header lies there, too
    sys_munmap(folded, page_up(header->stub_vaddr + header->stub_size + bias) - folded);
  }
};

}  // namespace

void whittle_load(uint64_t* sp, const Packed& packed, Handoff* handoff) {
  const ProcessStack stack(sp);
  const uint64_t* page = stack.find(kAuxPagesz);
  const uint64_t bias = reinterpret_cast<uint64_t>(packed.header) - packed.header->header_vaddr;
  const Load load{sp, stack, packed.header, packed, bias, page != nullptr ? *page : 4096};
  load.map_image();
  load.fill_image();
  load.protect_segments();
  load.hand_off(handoff);
  load.unmap_file();
}

}  // namespace whittle::stub
