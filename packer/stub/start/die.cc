// SPDX-License-Identifier: MIT
#include "packer/stub/start/die.h"

#include "packer/stub/base/linux.h"

namespace whittle::stub {

void die(const uint64_t* sp, packer::StubExit status) {
  const char* const name = sp[0] != 0 ? reinterpret_cast<const char*>(sp[1]) : "?";
  const char* const reason = status == packer::kExitDamaged ? "the file is damaged; get it again"
                             : status == packer::kExitNoMemory
                                 ? "no memory to unpack into"
                                 : "the system forbids unpacked code; run the original";
  constexpr size_t kNameEnd = 256, kLineEnd = 320;
  char line[kLineEnd];  // one write, so that the line stays whole among other processes' output
  size_t size = 0;
  for (const char* form = "whittle: \1: \2\n"; *form != 0; form++) {
    if (*form > 2) {
      line[size++] = *form;
      continue;
    }
    // A name can be of any length, and hold anything: the reason has its room, on the same line.
    const bool is_name = *form == 1;
    for (const char* text = is_name ? name : reason;
         *text != 0 && size < (is_name ? kNameEnd : kLineEnd - 1); text++) {
      line[size++] = static_cast<uint8_t>(*text) < ' ' ? '?' : *text;
    }
  }
  sys_write(2, line, size);
  sys_exit_group(status);
}

}  // namespace whittle::stub
