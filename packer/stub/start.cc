// SPDX-License-Identifier: MIT
//
// The run-time half of a packed program: rebuild the original's memory, then leave no trace.
//
// The kernel has mapped two pieces of the packed file high above the image (header and compressed
// stub; payload) and has reserved the image's own address range with a segment that is nearly all
// zero memory, so brk, stack and mmap areas are already where they cannot collide. The stub
//
//   1. makes sure that everything it will read is mapped and present, and checks its digest,
//   2. puts fresh anonymous memory over the reserved range, on huge pages where the system has them
//      (filling 2 MiB at once costs a ninth of filling 512 pages of 4 KiB),
//   3. decodes the payload to its final addresses,
//   4. makes the caches agree about the code and gives every segment its protection; nothing is
//      ever writable and executable at once unless the original asked for that,
//   5. patches the auxiliary vector where it describes the packed file's program headers and entry,
//   6. unmaps both pieces of the file; the entry code unmaps the stub itself, which unfold.cc made
//      in memory of its own.
#include "packer/format.h"
#include "packer/stub/die.h"
#include "packer/stub/expand.h"
#include "packer/stub/linux.h"
#include "packer/stub/protect.h"
#include "packer/stub/workers.h"

namespace whittle::stub {
namespace {

using packer::PackHeader;
using packer::PackSegment;

// The entry code reads this structure by offset.
struct Handoff {
  uint64_t entry;
  uint64_t escape;
  uint64_t unmap_address;
  uint64_t unmap_size;
};
static_assert(sizeof(Handoff) == 32);

extern "C" {
__attribute__((visibility("hidden"))) extern const uint8_t whittle_escape[];
__attribute__((visibility("hidden"))) extern const uint8_t whittle_escape_end[];
__attribute__((visibility("hidden"))) extern const uint8_t whittle_entry[];
__attribute__((visibility("hidden"))) extern const uint8_t whittle_end[];
}

// argc, argv…, NULL, envp…, NULL, auxiliary vector…, AT_NULL, as the kernel laid them out.
struct ProcessStack {
  explicit ProcessStack(uint64_t* sp) {
    uint64_t* at = sp + 1 + sp[0] + 1;
    while (*at++ != 0) {
    }
    auxv = at;
  }

  uint64_t* find(uint64_t type) const {
    for (uint64_t* entry = auxv; entry[0] != kAuxNull; entry += 2) {
      if (entry[0] == type) return entry + 1;
    }
    return nullptr;
  }
  void patch(uint64_t type, uint64_t value) const {
    if (uint64_t* found = find(type)) *found = value;
  }

  uint64_t* auxv;
};

constexpr uint64_t kElfHeaderSize = 64, kElfEntryOffset = 24;
constexpr uint32_t kSegmentLoad = 1;

struct ProgramHeader {  // Elf64_Phdr
  uint32_t type, flags;
  uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
static_assert(sizeof(ProgramHeader) == 56);

// Whether the kernel has mapped [address, address + size) from this file.
bool is_mapped(const ProcessStack& stack, uint64_t bias, uint64_t address, uint64_t size) {
  const uint64_t* table = stack.find(kAuxPhdr);
  const uint64_t* count = stack.find(kAuxPhnum);
  if (table == nullptr || count == nullptr) return false;
  const auto* segment = reinterpret_cast<const ProgramHeader*>(*table);
  for (const auto* end = segment + *count; segment != end; segment++) {
    const uint64_t offset = address - (segment->vaddr + bias);  // huge where it lies before
    if (segment->type == kSegmentLoad && offset <= segment->filesz &&
        size <= segment->filesz - offset) {
      return true;
    }
  }
  return false;
}

// Whether all that the header points at can be read. The header may be damaged; the ELF header and
// the program headers (before all else, one after another) were believed by the kernel. The
// end of a file that was cut off is mapped and not there: touching it raises SIGBUS. The advice
// (Linux 5.14) has the pages there in one go.
bool is_readable(const ProcessStack& stack, const PackHeader* header, uint64_t bias) {
  const auto address = reinterpret_cast<uint64_t>(header);
  const uint64_t* program_headers = stack.find(kAuxPhdr);
  if (program_headers == nullptr) return false;
  const uint64_t entry =
      *reinterpret_cast<const uint64_t*>(*program_headers - kElfHeaderSize + kElfEntryOffset);
  if (entry + bias != address + sizeof(PackHeader)) return false;
  const uint64_t tables = packer::tables_size(*header);
  const uint64_t payload = header->payload_vaddr + bias;
  const uint64_t* page = stack.find(kAuxPagesz);
  const uint64_t begin = payload & ~((page != nullptr ? *page : 4096) - 1);
  const uint64_t end = payload + header->payload_size;
  if (!is_mapped(stack, bias, address - tables, tables + sizeof(PackHeader)) ||
      !is_mapped(stack, bias, payload, header->payload_size)) {
    return false;
  }
  sys_madvise(begin, end - begin, kMadvPopulateRead);
  return is_there(end - 1);
}

int protection_of(uint32_t flags) {
  return (flags & 4 ? kProtRead : 0) | (flags & 2 ? kProtWrite : 0) | (flags & 1 ? kProtExec : 0);
}

// A program on its way from the packed file to its own memory.
struct Start {
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
    if (failed(mapped)) die(sp, packer::kExitNoMemory, kNoMemory);
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
    if (status == WorkersStatus::no_memory) die(sp, packer::kExitNoMemory, kNoMemory);
    if (status != WorkersStatus::ok) die(sp, packer::kExitDamaged, kDamaged);
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
        die(sp, packer::kExitForbidden, kForbidden);
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

// Called once by the entry code with the end of the header, the stack as the kernel left it and the
// structure to fill.
extern "C" __attribute__((visibility("hidden"))) void whittle_start(const uint8_t* stub,
                                                                    uint64_t* sp,
                                                                    Handoff* handoff) {
  const ProcessStack stack(sp);
  const auto* header = reinterpret_cast<const PackHeader*>(stub - sizeof(PackHeader));
  const uint64_t bias = reinterpret_cast<uint64_t>(header) - header->header_vaddr;
  const Packed packed =
      parts_of(header, reinterpret_cast<const uint8_t*>(header->payload_vaddr + bias));
  if (!is_readable(stack, header, bias) || run_digest_of(packed) != header->run_digest) {
    die(sp, packer::kExitDamaged, kDamaged);
  }
  const uint64_t* page = stack.find(kAuxPagesz);
  const Start start{sp, stack, header, packed, bias, page != nullptr ? *page : 4096};
  start.map_image();
  start.fill_image();
  start.protect_segments();
  start.hand_off(handoff);
  start.unmap_file();
}

}  // namespace whittle::stub
