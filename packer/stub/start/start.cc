// SPDX-License-Identifier: MIT
//
// The run-time half of a packed program: rebuild the original's memory, then leave no trace.
//
// The kernel has mapped two pieces of the packed file high above the image (header and compressed
// stub; payload) and has reserved the image's own address range with a segment that is nearly all
// zero memory, so brk, stack and mmap areas are already where they cannot collide. The stub
//
//   1. makes sure that everything it will read is mapped and present, and checks its digest,
//   2. with codec mix, decodes the code for all that follows (late.h),
//   3. puts fresh anonymous memory over the reserved range, on huge pages where the system has them
//      (filling 2 MiB at once costs a ninth of filling 512 pages of 4 KiB),
//   4. decodes the payload to its final addresses,
//   5. makes the caches agree about the code and gives every segment its protection; nothing is
//      ever writable and executable at once unless the original asked for that,
//   6. patches the auxiliary vector where it describes the packed file's program headers and entry,
//   7. unmaps both pieces of the file; the entry code unmaps the stub itself, which unfold.cc made
//      in memory of its own.
//
// Here are the first two; load.cc has the others.
#include "packer/format.h"
#include "packer/stub/base/linux.h"
#include "packer/stub/packed.h"
#include "packer/stub/start/die.h"
#include "packer/stub/start/late.h"
#include "packer/stub/start/load.h"
#include "packer/stub/start/process_stack.h"

namespace whittle::stub {
namespace {

using packer::PackHeader;

constexpr uint64_t kElfHeaderSize = 64, kElfEntryOffset = 24;
constexpr uint32_t kSegmentLoad = 1;

struct ProgramHeader {  // Elf64_Phdr
  uint32_t type, flags;
  uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
static_assert(sizeof(ProgramHeader) == 56);

// The program headers by which the kernel has mapped this file.
struct ProgramHeaders {
  const ProgramHeader* begin;
  const ProgramHeader* end;
  uint64_t bias;

  // Whether [address, address + size) was mapped by one of them.
  bool cover(uint64_t address, uint64_t size) const {
    for (const auto* segment = begin; segment != end; segment++) {
      const uint64_t offset = address - (segment->vaddr + bias);  // huge where it lies before
      if (segment->type == kSegmentLoad && offset <= segment->filesz &&
          size <= segment->filesz - offset) {
        return true;
      }
    }
    return false;
  }
};

// Whether all that the header points at can be read. The header may be damaged; the ELF header and
// the program headers (before all else, one after another) were believed by the kernel. The
// end of a file that was cut off is mapped and not there: touching it raises SIGBUS. The advice
// (Linux 5.14) has the pages there in one go.
bool is_readable(const ProcessStack& stack, const PackHeader* header, uint64_t bias) {
  const auto address = reinterpret_cast<uint64_t>(header);
  const uint64_t *table = stack.find(kAuxPhdr), *count = stack.find(kAuxPhnum),
                 *page = stack.find(kAuxPagesz);
  if (table == nullptr || count == nullptr) return false;
  const auto* first = reinterpret_cast<const ProgramHeader*>(*table);
  const ProgramHeaders headers{first, first + *count, bias};
  const uint64_t entry =
      *reinterpret_cast<const uint64_t*>(*table - kElfHeaderSize + kElfEntryOffset);
  const uint64_t tables = packer::tables_size(*header);
  const uint64_t payload = header->payload_vaddr + bias;
  const uint64_t begin = payload & ~((page != nullptr ? *page : 4096) - 1);
  const uint64_t end = payload + header->payload_size;
  if (entry + bias != address + sizeof(PackHeader) || payload % 8 != 0 ||
      !headers.cover(address - tables, tables + sizeof(PackHeader)) ||
      !headers.cover(payload, header->payload_size)) {
    return false;
  }
  sys_madvise(begin, end - begin, kMadvPopulateRead);
  return is_there(end - 1);
}

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
    die(sp, packer::kExitDamaged);
  }
#if defined(WHITTLE_WITH_MIX)
  make_late_code(sp, packed);
  reinterpret_cast<decltype(&whittle_load)>(whittle_late)(sp, packed, handoff);
#else
  whittle_load(sp, packed, handoff);
#endif
}

}  // namespace whittle::stub
