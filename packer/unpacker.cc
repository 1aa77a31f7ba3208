// SPDX-License-Identifier: MIT
//
// The way back: a packed file's own account of itself, the file that was packed, and the checks
// that tell whether either is still true.
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>

#include "common/digest.h"
#include "common/error.h"
#include "common/threads.h"
#include "packer/container/reader.h"
#include "packer/describe.h"
#include "packer/format.h"
#include "packer/level.h"
#include "packer/packer.h"
#include "packer/start_memory.h"
#include "packer/stub/expand.h"

namespace whittle::stub {

void yield_to_others() { std::this_thread::yield(); }

}  // namespace whittle::stub

namespace whittle::packer {
namespace {

// Zero memory that costs nothing until it is written: an image may be spread widely.
class ZeroMemory {
 public:
  explicit ZeroMemory(std::uint64_t size) : size_(size == 0 ? 1 : size) {
    data_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data_ == MAP_FAILED) throw std::bad_alloc();
  }
  ~ZeroMemory() { ::munmap(data_, size_); }
  ZeroMemory(const ZeroMemory&) = delete;
  ZeroMemory& operator=(const ZeroMemory&) = delete;
  std::uint8_t* data() const { return static_cast<std::uint8_t*>(data_); }

 private:
  void* data_;
  std::uint64_t size_;
};

std::string version_text(const PackHeader& header) {
  std::string text;
  for (const std::uint8_t c : header.packer_version) {
    if (c == 0) break;
    text += c >= 0x20 && c < 0x7f ? static_cast<char>(c) : '?';
  }
  return text;
}

// Decodes the image, on every processor.
bool expand(const PackedView& view, const ZeroMemory& image) {
  const std::uint64_t scratch_size = stub::scratch_size_of(view.parts());
  const ZeroMemory scratch(scratch_size);
  const auto expansion = std::make_unique<stub::Expansion>();
  expansion->packed = view.parts();
  expansion->image = image.data();
  expansion->image_size = view.filled_size();
  expansion->scratch = scratch.data();
  expansion->scratch_size = scratch_size;
  run_on_threads(processor_count(),
                 [&] { stub::expand(*expansion, *std::make_unique<stub::Workspace>()); });
  return expansion->status == stub::ExpandStatus::ok;
}

// Decodes everything and puts the original file together. Returns nothing where a stream does not
// decode.
std::optional<Bytes> reassemble(const PackedView& view) {
  const ZeroMemory image(view.filled_size());
  if (!expand(view, image)) return std::nullopt;
  const auto workspace = std::make_unique<stub::Workspace>();
  Bytes rest;
  for (std::size_t i = 0; i < view.streams().size(); i++) {
    const PackStream& stream = view.streams()[i];
    if (stream.kind != kStreamRest && stream.kind != kStreamStub) continue;
    Bytes raw(stream.raw_size);
    if (stub::decode_stream(stream, view.packed_bytes(i).data(), raw.data(), *workspace) !=
        stub::ExpandStatus::ok) {
      return std::nullopt;
    }
    if (stream.kind == kStreamRest) rest.insert(rest.end(), raw.begin(), raw.end());
  }
  Bytes file(view.header().original_size);
  for (const PackSegment& s : view.segments()) {
    if (s.file_size == 0) continue;  // it may lie behind all that is filled
    const std::uint64_t offset = s.vaddr - view.header().image_vaddr;
    if (!in_bounds(offset, s.file_size, view.filled_size())) return std::nullopt;
    std::copy_n(image.data() + offset, s.file_size,
                file.begin() + static_cast<std::ptrdiff_t>(s.file_offset));
  }
  std::size_t used = 0;
  for (const FileRange& range : uncovered_ranges(view.segments(), file.size())) {
    if (!in_bounds(used, range.size, rest.size())) return std::nullopt;
    std::copy_n(rest.begin() + static_cast<std::ptrdiff_t>(used), range.size,
                file.begin() + static_cast<std::ptrdiff_t>(range.offset));
    used += range.size;
  }
  return used == rest.size() ? std::optional(std::move(file)) : std::nullopt;
}

Check compare(std::string_view name, const std::string& expected, const std::string& found) {
  return {
      .name = std::string(name),
      .ok = expected == found,
      .detail = expected == found ? found : fmt::format("expected {}, found {}", expected, found)};
}

// Whether a note of whittle's, with a header of this format at its end, stands anywhere: so it does
// where a file was cut off or its ELF headers are damaged, and lead there no more.
bool carries_our_note(ByteView file) {
  const ByteView name = as_bytes(std::string_view(kPackNoteName, sizeof kPackNoteName));
  const std::boyer_moore_horspool_searcher searcher(name.begin(), name.end());
  for (auto at = file.begin(); (at = std::search(at, file.end(), searcher)) != file.end(); at++) {
    const auto descriptor = static_cast<std::size_t>(at - file.begin()) + name.size();
    if (descriptor < sizeof(PackNote)) continue;
    PackNote note;
    std::memcpy(&note, &file[descriptor - sizeof note], sizeof note);
    PackHeader header;
    if (note.type != kPackNoteType || note.descriptor_size < sizeof header ||
        !in_bounds(descriptor, note.descriptor_size, file.size())) {
      continue;
    }
    std::memcpy(&header, &file[descriptor + note.descriptor_size - sizeof header], sizeof header);
    if (std::memcmp(header.magic, kPackMagic, sizeof kPackMagic) == 0 &&
        header.version == kFormatVersion) {
      return true;
    }
  }
  return false;
}

std::string hex64(std::uint64_t value) { return fmt::format("{:016x}", value); }

// Every check in order, and the original where the streams decoded.
struct Examination {
  std::vector<Check> checks;
  std::optional<Bytes> original;
};

Examination examine(ByteView file, std::string_view path) {
  Examination result;
  std::vector<Check>& checks = result.checks;
  try {
    const PackedView view = PackedView::read(file, path);
    const PackHeader& header = view.header();
    checks.push_back({.name = "structure", .ok = true, .detail = "header and tables are valid"});
    checks.push_back(compare("file digest", hex64(header.file_digest),
                             hex64(file_digest_of(file, view.header_offset()))));
    checks.push_back(compare("run-time digest", hex64(header.run_digest),
                             hex64(stub::run_digest_of(view.parts()))));
    result.original = reassemble(view);
    checks.push_back({.name = "streams",
                      .ok = result.original.has_value(),
                      .detail = result.original ? "every stream decodes to its size"
                                                : "a stream does not decode"});
    if (result.original) {
      checks.push_back(compare("original SHA-256", to_hex(header.original_sha256),
                               to_hex(sha256(*result.original))));
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupt && !carries_our_note(file)) throw;
    checks.push_back({.name = "structure", .ok = false, .detail = error.message()});
  }
  return result;
}

}  // namespace

PackInfo inspect(ByteView file, std::string_view path) {
  const PackedView view = PackedView::read(file, path);
  const PackHeader& header = view.header();
  PackInfo info;
  info.format_version = header.version;
  info.packer_version = version_text(header);
  info.machine = elf::machine_name(elf::File::parse(file, path).header());
  info.level = level_name(header.level);
  info.packed_size = file.size();
  info.original_size = header.original_size;
  info.stub_size = view.stub().size();
  info.original_sha256 = to_hex(header.original_sha256);
  info.source_size = header.source_size;
  info.source_sha256 = to_hex(header.source_sha256);
  info.scratch_size = stub::scratch_size_of(view.parts());
  info.start_memory = start_memory_of(view);
  info.streams = describe_streams(view);
  return info;
}

Bytes unpack(ByteView file, std::string_view path) {
  Examination examination = examine(file, path);
  for (const Check& check : examination.checks) {
    if (!check.ok) {
      throw Error(ErrorKind::corrupt, path,
                  fmt::format("the packed file is damaged: {}: {}", check.name, check.detail));
    }
  }
  return std::move(*examination.original);
}

std::vector<Check> verify(ByteView file, std::string_view path) {
  return examine(file, path).checks;
}

}  // namespace whittle::packer
