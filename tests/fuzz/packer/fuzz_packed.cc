// SPDX-License-Identifier: MIT
//
// The packed-file reader and the unpacker on arbitrary files: each gives checks, bytes or an Error.
#include <cstddef>
#include <cstdint>

#include "common/error.h"
#include "packer/packer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const whittle::ByteView file(data, size);
  try {
    whittle::packer::inspect(file, "input");
    whittle::packer::verify(file, "input");
    whittle::packer::unpack(file, "input");
  } catch (const whittle::Error& error) {
    if (error.kind() == whittle::ErrorKind::internal) __builtin_trap();
  }
  return 0;
}
