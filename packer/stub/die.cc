// SPDX-License-Identifier: MIT
#include "packer/stub/die.h"

#include "packer/stub/linux.h"

namespace whittle::stub {

void die(const uint64_t* sp, int status, const char* reason) {
  char line[320];  // one write, so that the line stays whole among other processes' output
  size_t size = 0;
  const auto append = [&](const char* text) {
    while (*text != 0 && size < sizeof line - 1) line[size++] = *text++;
  };
  append("whittle: ");
  append(sp[0] != 0 ? reinterpret_cast<const char*>(sp[1]) : "(no name)");
  append(": ");
  append(reason);
  line[size++] = '\n';
  sys_write(2, line, size);
  sys_exit_group(status);
}

}  // namespace whittle::stub
