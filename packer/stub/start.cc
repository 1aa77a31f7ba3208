// SPDX-License-Identifier: MIT
//
// The run-time half of a packed program: rebuild the original's memory, then leave no trace.
//
// The kernel has mapped two pieces of the packed file high above the image (header and stub,
// payload) and has reserved the image's own address range with a segment that is nearly all zero
// memory; so brk, stack and mmap areas are already where they cannot collide. The stub
//
//   1. makes sure that all it will read is mapped and there, and checks its digest,
//   2. puts fresh anonymous memory over the reserved range, on huge pages where the system has them
//      (filling 2 MiB at once costs a ninth of filling 512 pages of 4 KiB),
//   3. decodes the payload to its final addresses,
//   4. makes the caches agree about the code and gives every segment its protection; nothing is
//      ever writable and executable at once unless the original asked for that,
//   5. patches the auxiliary vector where it spoke of the packed file's program headers and entry,
//   6. unmaps the payload and lets the entry code unmap the stub itself.
//
// Systems that forbid making written memory executable (PR_SET_MDWE, systemd's
// MemoryDenyWriteExecute, SELinux execmem) refuse step 4. Then, and only then, code goes through a
// memfd that is mapped read-execute: slower, since it copies, and visible as a file mapping.
#include "packer/format.h"
#include "packer/stub/expand.h"
#include "packer/stub/instruction_cache.h"
#include "packer/stub/linux.h"
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
}

size_t length_of(const char* text) {
  size_t length = 0;
  while (text[length] != 0) length++;
  return length;
}

constexpr const char* kDamaged = "the program is damaged or cut off; get the file again";
constexpr const char* kNoMemory = "no memory to unpack into";

[[noreturn]] void die(const char* program, int status, const char* reason) {
  char line[320];  // one write, so that the line stays whole among other processes' output
  size_t size = 0;
  const auto append = [&](const char* text) {
    const size_t length = length_of(text);
    for (size_t i = 0; i < length && size < sizeof line - 1; i++) line[size++] = text[i];
  };
  append("whittle: ");
  append(program);
  append(": ");
  append(reason);
  line[size++] = '\n';
  sys_write(2, line, size);
  sys_exit_group(status);
}

// argc, argv…, NULL, envp…, NULL, auxiliary vector…, AT_NULL, as the kernel laid them out.
struct ProcessStack {
  explicit ProcessStack(uint64_t* sp) {
    const uint64_t argc = sp[0];
    program = argc != 0 ? reinterpret_cast<const char*>(sp[1]) : "(no name)";
    uint64_t* at = sp + 1 + argc + 1;
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

  const char* program;
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
// the program headers (in front of all else, one behind the other) were believed by the kernel. The
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

// Whether this process may write a file of so many bytes. Asked beforehand, because writing beyond
// the limit does not fail: it raises SIGXFSZ.
bool may_write(uint64_t size) {
  Limit limit;
  return failed(sys_get_limit(kLimitFileSize, &limit)) || size <= limit.soft;
}

// Calls attempt(protection) with the segment's guard, or without where the processor knows none.
template <class Attempt>
bool guarded(const PackSegment& segment, Attempt attempt) {
  const int protection = protection_of(segment.flags);
#if defined(__aarch64__)
  if (segment.guard != 0 && attempt(protection | static_cast<int>(segment.guard))) return true;
#endif
  return attempt(protection);
}

// Replaces [begin, end) by a mapping of a file that holds the same bytes.
bool map_through_memfd(uint64_t begin, uint64_t end, const PackSegment& segment) {
  if (!may_write(end - begin)) return false;
  long fd = sys_memfd_create("whittle", kMemfdCloexec | kMemfdExec);
  if (failed(fd)) fd = sys_memfd_create("whittle", kMemfdCloexec);  // before Linux 6.3
  if (failed(fd)) return false;
  bool ok = true;
  for (uint64_t at = begin; ok && at < end;) {
    const long n = sys_write(static_cast<int>(fd), reinterpret_cast<const void*>(at), end - at);
    ok = !failed(n) && n > 0;
    at += static_cast<uint64_t>(n);
  }
  ok = ok && guarded(segment, [&](int protection) {
         return !failed(sys_mmap(begin, end - begin, protection, kMapPrivate | kMapFixed,
                                 static_cast<int>(fd)));
       });
  sys_close(static_cast<int>(fd));
  return ok;
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
    die(stack.program, packer::kExitDamaged, kDamaged);
  }

  const uint64_t* page_entry = stack.find(kAuxPagesz);
  const uint64_t page = page_entry != nullptr ? *page_entry : 4096;
  const auto page_down = [page](uint64_t address) { return address & ~(page - 1); };
  const auto page_up = [page](uint64_t address) { return (address + page - 1) & ~(page - 1); };

  const uint64_t image = header->image_vaddr + bias;
  const uint64_t image_end = page_up(image + header->image_size);
  const long mapped = sys_mmap(image, image_end - image, kProtRead | kProtWrite,
                               kMapPrivate | kMapFixed | kMapAnonymous, -1);
  if (failed(mapped)) die(stack.program, packer::kExitNoMemory, kNoMemory);
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

  const WorkersStatus status =
      expand_with_workers(packed, reinterpret_cast<uint8_t*>(image), image_end - image);
  if (status == WorkersStatus::no_memory) die(stack.program, packer::kExitNoMemory, kNoMemory);
  if (status != WorkersStatus::ok) {
    die(stack.program, packer::kExitDamaged, kDamaged);
  }

  if (header->escape_vaddr != 0) {
    auto* escape = reinterpret_cast<uint8_t*>(header->escape_vaddr + bias);
    const auto size = static_cast<size_t>(whittle_escape_end - whittle_escape);
    for (size_t i = 0; i < size; i++) escape[i] = whittle_escape[i];
  }

  uint64_t previous_end = image;
  for (uint32_t i = 0; i < header->segment_count; i++) {
    const PackSegment& segment = packed.segments[i];
    const uint64_t begin = page_down(segment.vaddr + bias);
    const uint64_t end = page_up(segment.vaddr + segment.memory_size + bias);
    if (begin > previous_end) sys_munmap(previous_end, begin - previous_end);
    previous_end = end;
    const int protection = protection_of(segment.flags);
    if (begin == end || protection == (kProtRead | kProtWrite)) continue;
    // While it is readable still, whatever it will be; to the page's end, where the escape may lie.
    if (protection & kProtExec) make_executable_as_written(begin, end);
    const bool is_protected = guarded(
        segment, [&](int wanted) { return !failed(sys_mprotect(begin, end - begin, wanted)); });
    if (!is_protected && !map_through_memfd(begin, end, segment)) {
      die(stack.program, packer::kExitForbidden,
          "the system forbids unpacked code to run; run the original");
    }
  }

  stack.patch(kAuxPhdr, header->phdr_vaddr + bias);
  stack.patch(kAuxPhnum, header->phnum);
  stack.patch(kAuxEntry, header->entry + bias);

  const uint64_t payload = page_down(header->payload_vaddr + bias);
  sys_munmap(payload, page_up(header->payload_vaddr + header->payload_size + bias) - payload);

  handoff->entry = header->entry + bias;
  if (header->escape_vaddr != 0) {
    handoff->escape = header->escape_vaddr + bias;
    handoff->unmap_address = page_down(header->stub_vaddr + bias);
    handoff->unmap_size =
        page_up(header->stub_vaddr + header->stub_size + bias) - handoff->unmap_address;
  } else {
    // No room behind any code: the stub stays, read-only and executable, and munmap fails on
    // purpose.
    handoff->escape = reinterpret_cast<uint64_t>(whittle_escape);
    handoff->unmap_address = 0;
    handoff->unmap_size = 0;
  }
}

}  // namespace whittle::stub
