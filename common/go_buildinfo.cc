// SPDX-License-Identifier: MIT
//
// The Go linker puts a header at the start of the program's data, in the section .go.buildinfo:
//
//   0   14 bytes  "\xff Go buildinf:"
//   14   1 byte   size of a pointer, 4 or 8          (pointer format only)
//   15   1 byte   flags: bit 0 big-endian, bit 1 strings are inline
//   16            pointer format (Go 1.13 to 1.17): addresses of two Go string headers, each an
//                 address and a length: the version, then the module data
//   32            inline format (since Go 1.18): the same two strings, each after its length as a
//                 varint (LEB128)
//
// The header is aligned to 16 bytes. Source: Go's debug/buildinfo package.
#include "common/go_buildinfo.h"

#include <array>

namespace whittle::elf {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "\xff Go buildinf:"sv;
constexpr std::uint64_t kAlignment = 16;
constexpr std::uint64_t kHeaderSize = 32;
constexpr std::uint8_t kInlineStrings = 2;  // flag
constexpr std::uint64_t kMaxVersion = 256;  // bytes

bool looks_like_version(std::string_view text) {
  return text.starts_with("go1.") || text.starts_with("devel ");
}

// A length in LEB128 at `*at`, which is moved after it.
std::optional<std::uint64_t> read_varint(ByteView bytes, std::uint64_t* at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && *at < bytes.size(); shift += 7) {
    const std::uint8_t byte = bytes[(*at)++];
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

std::optional<GoBuildStrings> read_inline(ByteView bytes, std::uint64_t header) {
  std::uint64_t at = header + kHeaderSize;
  std::array<std::string_view, 2> strings;
  const std::array<std::uint64_t, 2> limits = {kMaxVersion, kMaxGoModuleData};
  for (std::size_t i = 0; i < strings.size(); i++) {
    const auto length = read_varint(bytes, &at);
    if (!length || *length > limits[i] || !in_bounds(at, *length, bytes.size())) {
      return std::nullopt;
    }
    strings[i] = as_text(bytes.subspan(at, *length));
    at += *length;
  }
  return GoBuildStrings{strings[0], strings[1]};
}

std::optional<GoBuildStrings> read_pointers(const File& file, std::uint64_t header) {
  const std::uint64_t word = file.bytes()[header + 14];
  if (word != 4 && word != 8) return std::nullopt;
  const bool big = (file.bytes()[header + 15] & 1) != 0;
  const GoStringReader reader(file, word, big ? ByteOrder::big : ByteOrder::little);
  const auto version = reader.go_string(reader.read(header + 16), kMaxVersion);
  const auto modules = reader.go_string(reader.read(header + 16 + word), kMaxGoModuleData);
  if (!version) return std::nullopt;
  return GoBuildStrings{*version, modules.value_or("")};
}

std::optional<GoBuildStrings> read_header(const File& file, std::uint64_t at) {
  const ByteView bytes = file.bytes();
  if (!in_bounds(at, kHeaderSize, bytes.size())) return std::nullopt;
  const bool is_inline = (bytes[at + 15] & kInlineStrings) != 0;
  const auto strings = is_inline ? read_inline(bytes, at) : read_pointers(file, at);
  if (!strings || !looks_like_version(strings->version)) return std::nullopt;
  return strings;
}

void append_string(Bytes& to, std::string_view text) {
  std::uint64_t length = text.size();
  for (; length >= 0x80; length >>= 7) to.push_back(static_cast<std::uint8_t>(length | 0x80));
  to.push_back(static_cast<std::uint8_t>(length));
  const ByteView bytes = as_bytes(text);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

std::optional<std::uint64_t> GoStringReader::word_at(std::uint64_t vaddr) const {
  const auto offset = file_.offset_of(vaddr, word_);
  if (!offset) return std::nullopt;
  return read(*offset);
}

std::optional<std::string_view> GoStringReader::go_string(std::uint64_t vaddr,
                                                          std::uint64_t limit) const {
  const auto data = word_at(vaddr);
  const auto length = vaddr > UINT64_MAX - word_ ? std::nullopt : word_at(vaddr + word_);
  if (!data || !length || *length > limit) return std::nullopt;
  if (*length == 0) return std::string_view();
  const auto offset = file_.offset_of(*data, *length);
  if (!offset) return std::nullopt;
  return as_text(file_.bytes().subspan(*offset, *length));
}

std::optional<GoBuildStrings> find_go_build_strings(const File& file) {
  if (const Section* section = file.find_section(".go.buildinfo")) {
    if (section->has_bytes()) {
      if (auto strings = read_header(file, section->offset)) return strings;
    }
  }
  if (file.claims_too_much()) return std::nullopt;
  // Without section headers: the magic at an aligned address of writable data, as Go looks for it.
  for (const Segment& s : file.segments()) {
    if (s.type != kSegmentLoad || (s.flags & kFlagWrite) == 0) continue;
    const auto text = as_text(file.bytes().subspan(s.offset, s.filesz));
    for (auto at = text.find(kMagic); at != std::string_view::npos;
         at = text.find(kMagic, at + 1)) {
      if ((s.vaddr + at) % kAlignment != 0) continue;
      if (auto strings = read_header(file, s.offset + at)) return strings;
    }
  }
  return std::nullopt;
}

Bytes inline_go_build_info(const GoBuildStrings& strings) {
  const ByteView magic = as_bytes(kMagic);
  Bytes bytes(magic.begin(), magic.end());
  bytes.push_back(8);
  bytes.push_back(kInlineStrings);
  bytes.resize(kHeaderSize);
  append_string(bytes, strings.version);
  append_string(bytes, strings.modules);
  bytes.resize(align_up(bytes.size(), kAlignment));
  return bytes;
}

}  // namespace whittle::elf
