// SPDX-License-Identifier: MIT
//
// Every change of a single byte of a packed file is found: tried for all bytes of a small file,
// with several changes where fields are, and for thousands of bytes of a large one. There `verify`,
// which also decodes everything, would take minutes: the test asks what it asks first, the reader
// and the digest of the file, and `verify` itself now and then. What the stub reads must differ in
// the stub's own digest, too, before which it runs nothing (tests/e2e/damaged_payload.sh runs
// damaged programs).
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "common/error.h"
#include "common/file.h"
#include "packer/container/reader.h"
#include "packer/packer.h"
#include "packer/stub/expand.h"
#include "tests/unit/packer/subjects.h"

namespace whittle {
namespace {

using packer::PackedView;

// Whether the error is one by which `verify` reports damage that left no packed file to check.
bool tells_of_damage(const Error& error) {
  return error.kind() == ErrorKind::malformed || error.kind() == ErrorKind::refused ||
         error.kind() == ErrorKind::corrupt;
}

bool verify_finds_damage(ByteView file) {
  try {
    const auto checks = packer::verify(file, "damaged");
    return std::any_of(checks.begin(), checks.end(), [](const auto& check) { return !check.ok; });
  } catch (const Error& error) {
    return tells_of_damage(error);
  }
}

// Nothing where the file cannot be read as a packed file.
std::optional<PackedView> read(ByteView file) {
  try {
    return PackedView::read(file, "damaged");
  } catch (const Error& error) {
    EXPECT_TRUE(tells_of_damage(error)) << error.what();
    return std::nullopt;
  }
}

TEST(Damage, EveryByteOfASmallFileIsGuarded) {
  test::ElfSpec spec;
  spec.code = test::some_code(20000);
  const Bytes packed = test::packed_form(test::build(spec).bytes);
  const std::size_t stub =
      PackedView::read(packed, "packed").header_offset() + sizeof(packer::PackHeader);
  constexpr int kChanges[] = {0x01, 0x21, 0x80, 0xff};
  Bytes damaged = packed;
  const auto try_change = [&](std::size_t at, int change) {
    damaged[at] = packed[at] ^ static_cast<std::uint8_t>(change);
    EXPECT_TRUE(verify_finds_damage(damaged)) << "offset " << at << ", change " << change;
    damaged[at] = packed[at];
  };
  for (std::size_t at = 0; at < stub; at++) {
    for (const int change : kChanges) try_change(at, change);
  }
  for (std::size_t at = stub; at < packed.size(); at++) try_change(at, kChanges[at % 4]);
}

TEST(Damage, EveryPartOfALargeFileIsGuarded) {
  const char* path = "/bin/busybox";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "busybox-static is not installed";
  Bytes file = test::packed_form(read_file(path).bytes);
  const PackedView view = PackedView::read(file, "busybox");
  const std::size_t tables = view.header_offset() - packer::tables_size(view.header());
  const std::size_t digested = view.header_offset() + packer::kRunDigestFrom;
  const std::size_t stub = view.header_offset() + sizeof(packer::PackHeader);
  const std::size_t payload = stub + view.stub().size();
  const std::size_t rest = payload + view.header().payload_size;
  ASSERT_LT(rest, file.size()) << "no rest stream";

  std::set<std::size_t> places = {file.size() - 1};
  const auto sample = [&](std::size_t begin, std::size_t end, std::size_t count) {
    for (std::size_t i = 0; i < count; i++) places.insert(begin + (end - begin) * i / count);
  };
  sample(0, stub, stub);  // headers, notes, tables: every byte
  sample(stub, payload, 1000);
  sample(payload, rest, 2500);
  sample(rest, file.size(), 500);
  ASSERT_GE(places.size(), 4000U);

  std::size_t tried = 0;
  for (const std::size_t at : places) {
    const auto bit = static_cast<std::uint8_t>(1U << (tried++ % 8));
    file[at] ^= bit;
    if (const auto damaged = read(file)) {
      const auto& header = damaged->header();
      EXPECT_NE(packer::file_digest_of(file, damaged->header_offset()), header.file_digest)
          << "offset " << at;
      const bool at_run_time =
          (at >= tables && at < stub && (at < view.header_offset() || at >= digested)) ||
          (at >= payload && at < rest);
      if (at_run_time) {
        EXPECT_NE(stub::run_digest_of(damaged->parts()), header.run_digest) << "offset " << at;
      }
    }
    if (tried % 200 == 0) {
      EXPECT_TRUE(verify_finds_damage(file)) << "offset " << at;
    }
    file[at] ^= bit;
  }
  EXPECT_FALSE(verify_finds_damage(file)) << "undone";
}

}  // namespace
}  // namespace whittle
