// SPDX-License-Identifier: MIT
//
// The first thing a packed program does: unpack the stub from its folded form (fold.h) into memory
// of its own, and continue there. This saves a third of a stub's bytes for a tenth of a
// millisecond; and of a damaged stub, nothing but these few functions is ever executed.
//
// No function that is folded can be called here: the linker script lists the files whose functions
// are not.
#include "packer/format.h"
#include "packer/stub/base/linux.h"
#include "packer/stub/codecs/lz_decoder.h"
#include "packer/stub/start/die.h"
#include "packer/stub/start/fold.h"
#include "packer/stub/start/protect.h"

namespace whittle::stub {

extern "C" {
__attribute__((visibility("hidden"))) extern const uint8_t whittle_entry[], whittle_folded[],
    whittle_folded_end[], whittle_late[], whittle_end[];
}

// Called once by the entry code with the stack as the kernel left it. Returns where the unfolded
// stub begins.
extern "C" __attribute__((visibility("hidden"))) uint8_t* whittle_unfold(const uint64_t* sp) {
  const auto* header = reinterpret_cast<const FoldHeader*>(whittle_folded);
  const auto* packed = reinterpret_cast<const uint8_t*>(header + 1);
  const auto first = static_cast<size_t>(whittle_folded - whittle_entry);
  const auto size = static_cast<size_t>(whittle_end - whittle_entry);
  // The end of a file that was cut off is mapped, and touching it would raise a signal.
  if (!is_there(reinterpret_cast<uint64_t>(header)) || header->size > size ||
      !is_there(reinterpret_cast<uint64_t>(packed) + header->size - 1) ||
      fold_digest(packed, header->size) != header->digest) {
    die(sp, packer::kExitDamaged);
  }
  const long mapped = sys_mmap(0, size, kProtRead | kProtWrite, kMapPrivate | kMapAnonymous, -1);
  if (failed(mapped)) die(sp, packer::kExitNoMemory);
  auto* stub = reinterpret_cast<uint8_t*>(mapped);
  for (size_t i = 0; i < first; i++) stub[i] = whittle_entry[i];
  lz_decode(packed, stub + first, stub + (whittle_folded_end - whittle_entry), WHITTLE_FOLD_UNIT);
  const auto begin = static_cast<uint64_t>(mapped);
  const auto late = static_cast<uint64_t>(whittle_late - whittle_entry);
  if (!protect(begin, begin + late, kProtRead | kProtExec, 0)) {
    die(sp, packer::kExitForbidden);
  }
  return stub;
}

}  // namespace whittle::stub
