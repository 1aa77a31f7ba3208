// SPDX-License-Identifier: MIT
//
// The packer on arbitrary files: what it does not take it refuses, what it takes comes back bit for
// bit, and `check` knows beforehand what the headers tell.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "common/error.h"
#include "packer/packer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const whittle::ByteView file(data, size);
  try {
    const auto refusal = whittle::packer::check(file, "input").refusal;
    const auto decision = whittle::packer::pack(file, "input");
    if (refusal && decision.packed) std::abort();
    if (!decision.packed) return 0;
    const whittle::Bytes original = whittle::packer::unpack(decision.packed->bytes, "packed");
    if (!std::equal(original.begin(), original.end(), data, data + size)) std::abort();
  } catch (const whittle::Error& error) {
    if (error.kind() != whittle::ErrorKind::malformed) std::abort();
  }
  return 0;
}
