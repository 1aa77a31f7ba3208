// SPDX-License-Identifier: MIT
//
// The packed-file reader against damage and malice: digests are repaired after each change, so that
// what stands between the change and the decoder are the reader's own checks.
#include "packer/container/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <random>

#include "common/error.h"
#include "packer/packer.h"
#include "tests/unit/packer/subjects.h"

namespace whittle {
namespace {

using packer::PackHeader;

// Two segments, an image stream and a region in each, and a rest stream.
const Bytes& sample() {
  static const Bytes packed = [] {
    test::ElfSpec spec = test::packable();
    spec.sections = {{".comment", std::string(3000, 'c')}};
    test::ElfImage original = test::build(spec);
    original.set(original.segment_field(1, "flags"), 4, 7);  // so that both hold code
    return test::packed_form(original.bytes);
  }();
  return packed;
}

std::uint64_t header_offset() {
  return packer::PackedView::read(sample(), "sample").header_offset();
}

Bytes with_header(const std::function<void(PackHeader&)>& change) {
  Bytes file = sample();
  PackHeader header;
  std::memcpy(&header, file.data() + header_offset(), sizeof header);
  change(header);
  std::memcpy(file.data() + header_offset(), &header, sizeof header);
  return file;
}

template <typename T>
Bytes with_entry(std::uint64_t table_offset, std::size_t index,
                 const std::function<void(T&)>& change, Bytes file = sample()) {
  const std::uint64_t at = table_offset + index * sizeof(T);
  T entry;
  std::memcpy(&entry, file.data() + at, sizeof entry);
  change(entry);
  std::memcpy(file.data() + at, &entry, sizeof entry);
  return file;
}

std::uint64_t tables_offset() {
  PackHeader header;
  std::memcpy(&header, sample().data() + header_offset(), sizeof header);
  return header_offset() - packer::tables_size(header);
}
std::uint64_t streams_offset() {
  PackHeader header;
  std::memcpy(&header, sample().data() + header_offset(), sizeof header);
  return tables_offset() + header.segment_count * sizeof(packer::PackSegment);
}
std::uint64_t regions_offset() {
  PackHeader header;
  std::memcpy(&header, sample().data() + header_offset(), sizeof header);
  return streams_offset() + header.stream_count * sizeof(packer::PackStream);
}

void expect_corrupt(const Bytes& file, ErrorKind kind = ErrorKind::corrupt,
                    std::string_view message = "") {
  try {
    packer::PackedView::read(file, "sample");
    ADD_FAILURE() << "was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_FALSE(error.message().empty());
    EXPECT_THAT(error.message(), testing::HasSubstr(message));
  }
}

TEST(Reader, EveryHeaderFieldIsChecked) {
  const std::vector<std::function<void(PackHeader&)>> changes = {
      [](PackHeader& h) { h.machine = 183; },
      [](PackHeader& h) { h.level = 77; },
      [](PackHeader& h) { h.first_held = h.stream_count + 1; },
      [](PackHeader& h) { h.segment_count = 0; },
      [](PackHeader& h) { h.segment_count = 0xffff; },
      [](PackHeader& h) { h.stream_count = 0xffff; },
      [](PackHeader& h) { h.region_count = 0xffff; },
      [](PackHeader& h) { h.payload_vaddr = 0; },
      [](PackHeader& h) { h.payload_vaddr = UINT64_MAX; },
      [](PackHeader& h) { h.payload_size = 0; },
      [](PackHeader& h) { h.payload_size -= 1; },
      [](PackHeader& h) { h.payload_size = UINT64_MAX; },
      [](PackHeader& h) { h.image_size = UINT64_MAX; },
      [](PackHeader& h) { h.image_size = 4096; },
      [](PackHeader& h) { h.image_vaddr = UINT64_MAX - 4096; },
      [](PackHeader& h) { h.image_vaddr += 4096; },
      [](PackHeader& h) { h.original_size = UINT64_MAX; },
      [](PackHeader& h) { h.original_size = std::uint64_t{1} << 31; },
      [](PackHeader& h) { h.original_size = 1; },
      [](PackHeader& h) { h.entry = 0; },
      [](PackHeader& h) { h.header_vaddr += 16; },
      [](PackHeader& h) { h.stub_vaddr -= 4096; },
      [](PackHeader& h) { h.stub_size = 0; },
      [](PackHeader& h) { h.stub_size -= 16; },
      [](PackHeader& h) { h.stub_size += 1; },
      [](PackHeader& h) { h.escape_vaddr += 1; },
      [](PackHeader& h) { h.escape_vaddr -= 4096; },
      [](PackHeader& h) { h.escape_vaddr += 4096; },
  };
  for (std::size_t i = 0; i < changes.size(); i++) {
    SCOPED_TRACE(i);
    expect_corrupt(with_header(changes[i]));
  }
}

TEST(Reader, EveryFieldOfTheNoteIsChecked) {
  const std::uint64_t at = tables_offset() - sizeof(packer::PackNote);
  for (std::size_t i = 0; i < sizeof(packer::PackNote); i++) {
    SCOPED_TRACE(i);
    Bytes file = sample();
    file[at + i] ^= 1;
    expect_corrupt(file);
  }
}

TEST(Reader, OtherFormatVersionsAreRefusedByName) {
  expect_corrupt(with_header([](PackHeader& h) { h.version = 999; }), ErrorKind::refused);
}

TEST(Reader, EverySegmentFieldIsChecked) {
  using packer::PackSegment;
  const std::vector<std::function<void(PackSegment&)>> changes = {
      [](PackSegment& s) { s.vaddr = 0; },
      [](PackSegment& s) { s.vaddr = UINT64_MAX; },
      [](PackSegment& s) { s.memory_size = UINT64_MAX; },
      [](PackSegment& s) { s.memory_size = 0; },
      [](PackSegment& s) { s.file_size = UINT64_MAX; },
      [](PackSegment& s) { s.file_offset = UINT64_MAX; },
      [](PackSegment& s) { s.file_offset = std::uint64_t{1} << 30; },
      [](PackSegment& s) { s.flags |= 8; },
      [](PackSegment& s) { s.guard = packer::kGuardBti; },
  };
  for (std::size_t i = 0; i < changes.size(); i++) {
    SCOPED_TRACE(i);
    expect_corrupt(with_entry<PackSegment>(tables_offset(), 0, changes[i]));
  }
}

TEST(Reader, EveryStreamFieldIsChecked) {
  using packer::PackStream;
  const std::vector<std::function<void(PackStream&)>> changes = {
      [](PackStream& s) { s.address = 0; },
      [](PackStream& s) { s.address = UINT64_MAX; },
      [](PackStream& s) { s.raw_size = UINT64_MAX; },
      [](PackStream& s) { s.raw_size *= 2; },
      [](PackStream& s) { s.packed_size = UINT64_MAX; },
      [](PackStream& s) { s.packed_size += 1; },
      [](PackStream& s) { s.kind = 7; },
      [](PackStream& s) { s.kind = packer::kStreamRest; },
  };
  for (std::size_t i = 0; i < changes.size(); i++) {
    SCOPED_TRACE(i);
    expect_corrupt(with_entry<PackStream>(streams_offset(), 0, changes[i]));
  }
}

TEST(Reader, EveryRegionFieldIsChecked) {
  using packer::PackRegion;
  const std::vector<std::function<void(PackRegion&)>> changes = {
      [](PackRegion& r) { r.address = 0; },
      [](PackRegion& r) { r.address = UINT64_MAX; },
      [](PackRegion& r) { r.size = UINT64_MAX; },
      [](PackRegion& r) { r.transform = 99; },
      [](PackRegion& r) { r.transform = packer::kTransformAarch64; },
      [](PackRegion& r) { r.first_part = 1; },
      [](PackRegion& r) { r.part_count = 1; },
      [](PackRegion& r) { r.part_count = 0xffff; },
  };
  for (std::size_t i = 0; i < changes.size(); i++) {
    SCOPED_TRACE(i);
    expect_corrupt(with_entry<PackRegion>(regions_offset(), 0, changes[i]));
  }
}

TEST(Reader, PayloadAndRegionsAreAligned) {
  expect_corrupt(with_header([](PackHeader& h) {
                   h.payload_vaddr += 8;
                   h.payload_size -= 8;
                 }),
                 ErrorKind::corrupt, "the payload is not aligned");

  const Bytes file = test::packed_form(test::build(test::packable(elf::kMachineRiscv)).bytes);
  const packer::PackedView view = packer::PackedView::read(file, "riscv64");
  const std::uint64_t regions =
      view.header_offset() - view.regions().size() * sizeof(packer::PackRegion);
  const auto begins_later_by = [&](std::uint64_t bytes) {
    return with_entry<packer::PackRegion>(
        regions, 0,
        [&](packer::PackRegion& r) {
          r.address += bytes;
          r.size -= bytes;
        },
        file);
  };
  expect_corrupt(begins_later_by(1), ErrorKind::corrupt, "a region is not aligned");
  packer::PackedView::read(begins_later_by(2), "riscv64");
}

TEST(Reader, AnOriginalIsAtMost1024TimesThePackedFile) {
  const std::uint64_t most = 1024 * sample().size();
  const auto with_size = [](std::uint64_t size) {
    return with_header([&](PackHeader& h) { h.original_size = size; });
  };
  expect_corrupt(with_size(most + 1), ErrorKind::corrupt, "beyond the limit");
  expect_corrupt(with_size(most), ErrorKind::corrupt, "do not fill the original");
}

template <typename T>
T entry_of(std::uint64_t table_offset, std::size_t index) {
  T entry;
  std::memcpy(&entry, sample().data() + table_offset + index * sizeof entry, sizeof entry);
  return entry;
}

TEST(Reader, SegmentsAscendAndShareNothing) {
  using packer::PackSegment;
  const auto next = entry_of<PackSegment>(tables_offset(), 1);
  expect_corrupt(
      with_entry<PackSegment>(tables_offset(), 0,
                              [&](PackSegment& s) { s.memory_size = next.vaddr - s.vaddr + 1; }),
      ErrorKind::corrupt, "segments overlap");
}

TEST(Reader, StreamsFillTheSegmentsOnce) {
  using packer::PackStream;
  const auto with_second = [](const std::function<void(PackStream&)>& change) {
    return with_entry<PackStream>(streams_offset(), 1, change);
  };
  const auto first = entry_of<PackStream>(streams_offset(), 0);
  expect_corrupt(with_second([&](PackStream& s) { s.address = first.address; }), ErrorKind::corrupt,
                 "streams or regions overlap");
  expect_corrupt(with_second([](PackStream& s) { s.address += 1; }), ErrorKind::corrupt,
                 "outside the segments");
  expect_corrupt(with_second([](PackStream& s) { s.raw_size -= 1; }), ErrorKind::corrupt,
                 "do not fill the segments");
  for (const int more : {-1, 1}) {
    expect_corrupt(with_entry<PackStream>(
                       streams_offset(), 2,
                       [&](PackStream& s) { s.raw_size += static_cast<std::uint64_t>(more); }),
                   ErrorKind::corrupt, "do not fill the original");
  }
  expect_corrupt(with_entry<PackStream>(streams_offset(), 2,
                                        [](PackStream& s) { s.raw_size = packer::kMaxFileSize; }),
                 ErrorKind::corrupt, "beyond the limit");
  expect_corrupt(with_entry<PackStream>(streams_offset(), 2, [](PackStream& s) { s.address = 1; }),
                 ErrorKind::corrupt, "has an address");
}

TEST(Reader, RegionsAreInOneStreamEachAndShareNothing) {
  using packer::PackRegion;
  const auto first = entry_of<PackRegion>(regions_offset(), 0);
  const auto second = entry_of<PackRegion>(regions_offset(), 1);
  expect_corrupt(
      with_entry<PackRegion>(regions_offset(), 0,
                             [&](PackRegion& r) { r.size = second.address + 1 - first.address; }),
      ErrorKind::corrupt, "not inside one stream");
  expect_corrupt(with_entry<PackRegion>(regions_offset(), 1,
                                        [&](PackRegion& r) {
                                          r.address = first.address + first.size - 1;
                                          r.size = 1;
                                        }),
                 ErrorKind::corrupt, "regions overlap");
}

TEST(Reader, UnknownCodecDoesNotDecode) {
  const Bytes file = with_entry<packer::PackStream>(streams_offset(), 0,
                                                    [](packer::PackStream& s) { s.codec = 9; });
  EXPECT_THROW(packer::unpack(file, "sample"), Error);
}

TEST(Reader, TheStubsCodeIsTheFirstStreamAndDecodes) {
  using packer::PackStream;
  packer::PackOptions options;
  options.level = packer::Level::small;
  const Bytes file = test::packed_form(test::build(test::packable()).bytes, options);
  const auto view = packer::PackedView::read(file, "sample");
  ASSERT_EQ(view.streams()[0].kind, packer::kStreamStub);
  EXPECT_EQ(packer::inspect(file, "sample").streams[0].name, "stub");
  const std::uint64_t streams = view.header_offset() - packer::tables_size(view.header()) +
                                view.segments().size() * sizeof(packer::PackSegment);
  const auto with_stream = [&](std::size_t index, const std::function<void(PackStream&)>& change) {
    return with_entry<PackStream>(streams, index, change, file);
  };
  expect_corrupt(with_stream(0, [](PackStream& s) { s.address = 1; }), ErrorKind::corrupt,
                 "has an address");
  expect_corrupt(with_stream(0, [](PackStream& s) { s.codec = packer::kCodecStored; }),
                 ErrorKind::corrupt, "another codec");
  expect_corrupt(with_stream(1, [](PackStream& s) { s.kind = packer::kStreamStub; }),
                 ErrorKind::corrupt, "not the first stream");

  const auto streams_decode = [](const Bytes& bytes) {
    for (const packer::Check& check : packer::verify(bytes, "sample")) {
      if (check.name == "streams") return check.ok;
    }
    return false;
  };
  EXPECT_TRUE(streams_decode(file));
  EXPECT_FALSE(streams_decode(with_stream(0, [](PackStream& s) { s.raw_size -= 1; })));
}

TEST(Reader, EveryTruncationIsAnError) {
  for (std::size_t size = 0; size < sample().size(); size += size < 1200 ? 1 : 97) {
    const Bytes cut(sample().begin(), sample().begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_THROW(packer::unpack(cut, "cut"), Error) << size;
  }
}

TEST(Reader, PlainFilesAreNotPacked) {
  EXPECT_FALSE(packer::is_packed(Bytes{}));
  EXPECT_FALSE(packer::is_packed(Bytes(1000, 'x')));
  const Bytes plain = test::build(test::packable()).bytes;
  EXPECT_FALSE(packer::is_packed(plain));
  expect_corrupt(plain, ErrorKind::refused);
  expect_corrupt(Bytes(1000, 'x'), ErrorKind::refused);
}

TEST(Reader, SurvivesRandomDamageBehindRepairedDigests) {
  int decoded = 0;
  for (std::uint64_t seed = 1; seed <= 400; seed++) {
    std::mt19937_64 random(seed);
    Bytes file = sample();
    // Tables, header and payload; the ELF header and stub in half of the cases too.
    const std::uint64_t from = seed % 2 == 0 ? 0 : tables_offset();
    const std::uint64_t edits = 1 + random() % 4;
    for (std::uint64_t i = 0; i < edits; i++) {
      file[from + random() % (file.size() - from)] = static_cast<std::uint8_t>(random());
    }
    try {
      for (const packer::Check& check : packer::verify(file, "damaged")) {
        if (check.name == "streams" && check.ok) decoded++;
      }
    } catch (const Error& error) {
      EXPECT_NE(error.kind(), ErrorKind::internal) << error.what();
    }
  }
  EXPECT_GT(decoded, 0) << "some damage must get as far as the decoder";
}

}  // namespace
}  // namespace whittle
