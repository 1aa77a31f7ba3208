// SPDX-License-Identifier: MIT
#include "packer/stub/start/late.h"

#include "packer/stub/base/linux.h"
#include "packer/stub/codecs/mix_decoder.h"
#include "packer/stub/start/die.h"
#include "packer/stub/start/protect.h"
#include "packer/stub/transforms/aarch64_code.h"
#include "packer/stub/transforms/riscv64_code.h"
#include "packer/stub/transforms/x86_code.h"

namespace whittle::stub {
namespace {

extern "C" {
__attribute__((visibility("hidden"))) extern const uint8_t whittle_end[];
}

union LateWorkspace {
  MixWorkspace mix;
  X86Workspace x86;
};

// Whether code[0, size) is now what the first stream holds.
bool decode_late_code(const Packed& packed, uint8_t* code, size_t size, LateWorkspace& workspace) {
  const packer::PackStream& stream = packed.streams[0];
  if (packed.header->stream_count == 0 || stream.kind != packer::kStreamStub ||
      stream.raw_size != size || stream.packed_size > packed.header->payload_size ||
      mix_decode(packed.payload, stream.packed_size, code, size, workspace.mix) != MixStatus::ok) {
    return false;
  }
#if defined(__x86_64__)
  x86_to_relative(code, size, kLateAddress, workspace.x86);
#elif defined(__aarch64__)
  aarch64_to_relative(code, size, kLateAddress);
#elif defined(__riscv)
  riscv64_to_relative(code, size, kLateAddress);
#endif
  return true;
}

}  // namespace

void make_late_code(const uint64_t* sp, const Packed& packed) {
  const auto begin = reinterpret_cast<uint64_t>(whittle_late);
  const auto end = reinterpret_cast<uint64_t>(whittle_end);
  const long mapped =
      sys_mmap(0, sizeof(LateWorkspace), kProtRead | kProtWrite, kMapPrivate | kMapAnonymous, -1);
  if (failed(mapped)) die(sp, packer::kExitNoMemory);
  if (!decode_late_code(packed, reinterpret_cast<uint8_t*>(begin), end - begin,
                        *reinterpret_cast<LateWorkspace*>(mapped))) {
    die(sp, packer::kExitDamaged);
  }
  sys_munmap(static_cast<uint64_t>(mapped), sizeof(LateWorkspace));
  if (!protect(begin, end, kProtRead | kProtExec, 0)) die(sp, packer::kExitForbidden);
}

}  // namespace whittle::stub
