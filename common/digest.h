// SPDX-License-Identifier: MIT
//
// SHA-256 (FIPS 180-4), by OpenSSL: the digest of OCI content and of the files that are packed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "common/bytes.h"

namespace whittle {

using Sha256Digest = std::array<std::uint8_t, 32>;

// Incremental SHA-256. `finish` may be called once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(ByteView bytes);
  Sha256Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

Sha256Digest sha256(ByteView bytes);

// Lower-case hexadecimal, two digits a byte.
std::string to_hex(ByteView bytes);

}  // namespace whittle
