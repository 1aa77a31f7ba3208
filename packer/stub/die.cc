// SPDX-License-Identifier: MIT
#include "packer/stub/die.h"

#include "packer/stub/linux.h"

namespace whittle::stub {

void die(const uint64_t* sp, packer::StubExit status) {
  constexpr size_t kNameEnd = 256, kLineEnd = 319;
  char line[kLineEnd + 1];  // one write, so that the line stays whole among other processes' output
  size_t size = 0;
  // A name can be of any length, and hold anything: the reason has its room, on the same line.
  const auto append = [&](const char* text, size_t end) {
    for (; *text != 0 && size < end; text++) {
      line[size++] = static_cast<uint8_t>(*text) < ' ' ? '?' : *text;
    }
  };
  append("whittle: ", kLineEnd);
  append(sp[0] != 0 ? reinterpret_cast<const char*>(sp[1]) : "?", kNameEnd);
  append(": ", kLineEnd);
  append(status == packer::kExitDamaged    ? "the file is damaged; get it again"
         : status == packer::kExitNoMemory ? "no memory to unpack into"
                                           : "the system forbids unpacked code; run the original",
         kLineEnd);
  line[size++] = '\n';
  sys_write(2, line, size);
  sys_exit_group(status);
}

}  // namespace whittle::stub
