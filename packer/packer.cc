// SPDX-License-Identifier: MIT
//
// Writes a packed file. The order of work: plan from the headers, transform and encode each
// segment's bytes, lay the pieces out after a new ELF header, then take the result apart again and
// compare. Nothing is returned that did not pass that.
//
// Address space: the first segment of the packed file covers the original's whole memory image,
// nearly all of it zero memory, so that the kernel reserves the range and places brk, stack and
// mmap areas around it. It has a few file bytes (the headers) because kernels differ in how
// they treat a segment with none, and the first one decides where a position-independent
// program goes. Stub and payload are mapped after the image.
#include "packer/packer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "common/digest.h"
#include "common/elf.h"
#include "common/error.h"
#include "common/foreign_packer.h"
#include "packer/container/reader.h"
#include "packer/container/visible.h"
#include "packer/encode.h"
#include "packer/format.h"
#include "packer/level.h"
#include "packer/plan.h"
#include "packer/streams.h"

namespace whittle::packer {
namespace {

template <typename T>
void append(Bytes& to, const T& value) {
  const auto* from = reinterpret_cast<const std::uint8_t*>(&value);
  to.insert(to.end(), from, from + sizeof value);
}
void append(Bytes& to, ByteView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

struct ProgramHeader {  // Elf64_Phdr
  std::uint32_t type, flags;
  std::uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
static_assert(sizeof(ProgramHeader) == 56);
constexpr std::uint64_t kElfHeaderSize = 64;

// The original's ELF header with the fields that describe the packed file replaced.
Bytes elf_header(const elf::File& elf, std::uint64_t entry, std::size_t phnum) {
  const ByteView original = elf.bytes().first(kElfHeaderSize);
  Bytes header(original.begin(), original.end());
  const auto put = [&](std::size_t offset, auto value) {
    std::memcpy(header.data() + offset, &value, sizeof value);
  };
  put(24, entry);
  put(32, kElfHeaderSize);                     // e_phoff
  put(40, std::uint64_t{0});                   // e_shoff
  put(56, static_cast<std::uint16_t>(phnum));  // e_phnum
  put(58, std::uint16_t{0});                   // e_shentsize
  put(60, std::uint16_t{0});                   // e_shnum
  put(62, std::uint16_t{0});                   // e_shstrndx
  return header;
}

std::size_t program_header_count(const PackPlan& plan) { return plan.stack_flags ? 5 : 4; }

// What the header says of the program and of its streams; where they stand is for `lay_out`.
PackHeader header_of(const elf::File& elf, const PackPlan& plan, std::uint32_t level,
                     const Encoded& encoded, const PackOptions& options) {
  PackHeader header{};
  std::memcpy(header.magic, kPackMagic, sizeof kPackMagic);
  header.version = kFormatVersion;
  header.machine = plan.machine->machine;
  header.level = static_cast<std::uint16_t>(level);
  header.first_held = encoded.first_held;
  header.image_vaddr = plan.image_vaddr;
  header.image_size = plan.image_size;
  header.entry = elf.header().entry;
  header.phdr_vaddr = plan.phdr_vaddr;
  header.escape_vaddr = plan.escape_vaddr;
  header.phnum = elf.header().phnum;
  header.segment_count = static_cast<std::uint16_t>(plan.segments.size());
  header.stream_count = static_cast<std::uint16_t>(encoded.streams.size());
  header.region_count = static_cast<std::uint16_t>(encoded.regions.size());
  header.original_size = elf.bytes().size();
  const Sha256Digest original = sha256(elf.bytes());
  const Sha256Digest source = options.stripped_from ? sha256(*options.stripped_from) : original;
  header.source_size = options.stripped_from ? options.stripped_from->size() : header.original_size;
  std::copy(original.begin(), original.end(), header.original_sha256);
  std::copy(source.begin(), source.end(), header.source_sha256);
  const std::string_view version = WHITTLE_VERSION;
  std::copy_n(version.begin(), std::min(version.size(), sizeof header.packer_version),
              header.packer_version);
  for (const PackStream& stream : encoded.streams) {
    if (stream.kind != kStreamRest) header.payload_size += stream.packed_size;
  }
  return header;
}

// File offsets; what stands before `front` are the ELF header and the program headers.
struct Layout {
  std::uint64_t headers_end = 0;
  FrontLayout front;
  std::uint64_t payload = 0;
};

// Where everything goes, in the file and (in `header`) in memory.
Layout lay_out(const PackPlan& plan, const Visible& visible, const Stub& stub, PackHeader& header) {
  Layout layout;
  layout.headers_end = kElfHeaderSize + program_header_count(plan) * sizeof(ProgramHeader);
  layout.front = lay_out_front(visible, layout.headers_end, tables_size(header));
  layout.payload = layout.front.stub + stub.code.size();
  const std::uint64_t page = plan.page_size;
  header.payload_vaddr = align_up(plan.image_vaddr + plan.image_size, page) + layout.payload % page;
  header.stub_vaddr = align_up(header.payload_vaddr + header.payload_size, page);
  header.stub_size = layout.payload;
  header.header_vaddr = header.stub_vaddr + layout.front.header;
  return layout;
}

void append_program_headers(const elf::File& elf, const PackPlan& plan, const Layout& layout,
                            const PackHeader& header, Bytes& file) {
  const std::uint64_t page = plan.page_size;
  // What is mapped, readable at least, where the file has it.
  const auto add = [&](std::uint32_t type, std::uint32_t flags, std::uint64_t offset,
                       std::uint64_t vaddr, std::uint64_t size, std::uint64_t align) {
    append(file,
           ProgramHeader{type, elf::kFlagRead | flags, offset, vaddr, vaddr, size, size, align});
  };
  const bool fixed = elf.header().type == elf::kTypeExec;
  append(file, ProgramHeader{elf::kSegmentLoad, elf::kFlagRead | elf::kFlagWrite, 0,
                             plan.image_vaddr, plan.image_vaddr, layout.headers_end,
                             plan.image_size, fixed ? page : plan.image_align});
  add(elf::kSegmentLoad, 0, layout.payload, header.payload_vaddr, header.payload_size, page);
  add(elf::kSegmentLoad, elf::kFlagExecute, layout.headers_end,
      header.stub_vaddr + layout.headers_end, header.stub_size - layout.headers_end, page);
  add(elf::kSegmentNote, 0, layout.front.notes, header.stub_vaddr + layout.front.notes,
      layout.front.stub - layout.front.notes, 4);
  if (plan.stack_flags) {
    append(file, ProgramHeader{elf::kSegmentGnuStack, *plan.stack_flags, 0, 0, 0, 0, 0, 16});
  }
}

// The digests, when all that they cover is in place.
void fill_in_digests(const Layout& layout, Bytes& file) {
  auto* header = reinterpret_cast<PackHeader*>(file.data() + layout.front.header);
  header->run_digest = stub::run_digest_of(stub::parts_of(header, file.data() + layout.payload));
  header->file_digest = file_digest_of(file, layout.front.header);
}

Bytes assemble(const elf::File& elf, const PackPlan& plan, std::uint32_t level,
               const Encoded& encoded, const Visible& visible, const PackOptions& options) {
  const Stub& stub = encoded.stub;
  PackHeader header = header_of(elf, plan, level, encoded, options);
  const Layout layout = lay_out(plan, visible, stub, header);

  Bytes file = elf_header(elf, header.stub_vaddr + layout.front.stub, program_header_count(plan));
  append_program_headers(elf, plan, layout, header, file);
  write_front(visible, layout.front,
              sections_of(visible, layout.front, header.stub_vaddr,
                          {header.payload_vaddr, layout.payload, header.payload_size}),
              elf.header(), file);
  for (const PackSegment& s : plan.segments) append(file, s);
  for (const PackStream& stream : encoded.streams) append(file, stream);
  for (const PackRegion& region : encoded.regions) append(file, region);
  append(file, header);
  append(file, stub.code);
  for (const Bytes& packed : encoded.packed) append(file, ByteView(packed));
  fill_in_digests(layout, file);
  return file;
}

std::variant<PackPlan, Refusal> decide(const elf::File& elf, const PackOptions& options) {
  if (is_packed(elf.bytes())) return Refusal{"already-packed", "is already packed"};
  if (const auto packer = find_foreign_packer(elf)) {
    return Refusal{"already-packed",
                   fmt::format("is already packed by {}; pack the original, or what `upx -d` "
                               "makes of it",
                               name_and_version(*packer))};
  }
  if (options.privileged) {
    return Refusal{
        "privileged",
        "is set-uid, set-gid or has file capabilities, so its code runs with more rights "
        "than its caller's; packing it needs to be asked for (`pack --allow-privileged`)"};
  }
  return plan(elf);
}

// What is wrong with our own output is a defect of ours, whatever a reader would call it.
void demand_round_trip(ByteView packed, ByteView file, std::string_view path) {
  std::string why = "unpacks to something else";
  try {
    const Bytes again = unpack(packed, path);
    if (std::equal(again.begin(), again.end(), file.begin(), file.end())) return;
  } catch (const Error& error) {
    why = error.message();
  }
  throw Error(ErrorKind::internal, path, fmt::format("the packed form is wrong: {}", why));
}

// `packed_rest`: what the bytes outside the segments take in the packed file, where that is known.
// They are there for `unpack` alone: a packed file has no section headers for the original's names.
std::vector<std::string> warnings_of(const PackPlan& plan, const Visible& visible,
                                     std::optional<std::uint64_t> packed_rest = std::nullopt) {
  std::vector<std::string> warnings = plan.warnings;
  warnings.insert(warnings.end(), visible.warnings.begin(), visible.warnings.end());
  if (plan.symbol_bytes != 0) {
    warnings.push_back(fmt::format(
        "has {} bytes of symbols and debug information{}; in a packed file neither debuggers nor "
        "the program's own backtraces (those of Rust, for example) find them: leave them out with "
        "--strip",
        plan.symbol_bytes,
        packed_rest ? fmt::format(", {} bytes of the packed file", *packed_rest) : ""));
  }
  return warnings;
}

// What the bytes outside the segments take in a packed file.
std::uint64_t packed_rest_of(const PackInfo& info) {
  std::uint64_t bytes = 0;
  for (const StreamInfo& stream : info.streams) {
    if (stream.name == "rest") bytes += stream.packed_size;
  }
  return bytes;
}

}  // namespace

Packability check(ByteView file, std::string_view path, const PackOptions& options) {
  const elf::File elf = elf::File::parse(file, path);
  const auto decision = decide(elf, options);
  if (const auto* refusal = std::get_if<Refusal>(&decision)) return {*refusal, {}};
  return {std::nullopt, warnings_of(std::get<PackPlan>(decision), find_visible(elf))};
}

PackDecision pack(ByteView file, std::string_view path, const PackOptions& options) {
  const auto refuse = [](Refusal refusal) {
    return PackDecision{.packed = std::nullopt, .refusal = std::move(refusal)};
  };
  const elf::File elf = elf::File::parse(file, path);
  auto decision = decide(elf, options);
  if (auto* refusal = std::get_if<Refusal>(&decision)) return refuse(std::move(*refusal));
  const PackPlan& plan = std::get<PackPlan>(decision);

  const Visible visible = find_visible(elf);
  std::uint64_t filled = 0;
  for (const PackSegment& s : plan.segments) filled += s.file_size;
  const auto pack_at = [&](std::uint32_t level) {
    return assemble(elf, plan, level,
                    encode(split_into_streams(elf, plan, most_in_one_stream(level, filled)), level,
                           plan.machine->machine, options.progress),
                    visible, options);
  };
  PackedFile packed;
  std::uint32_t level = options.level == Level::small ? kLevelSmall : kLevelFast;
  packed.bytes = pack_at(level);
  if (options.level == Level::automatic) {
    Bytes small = pack_at(kLevelSmall);
    auto choice = choose_level(file, packed.bytes.size(), small.size(), options.goal);
    if (auto* refusal = std::get_if<Refusal>(&choice)) return refuse(std::move(*refusal));
    level = std::get<Choice>(choice).level;
    packed.choice = std::move(std::get<Choice>(choice).reason);
    if (level == kLevelSmall) packed.bytes = std::move(small);
  }
  packed.original_size = file.size();
  packed.source_size = options.stripped_from ? options.stripped_from->size() : file.size();
  packed.level = level_name(level);
  if (packed.bytes.size() >= file.size()) {
    return refuse({"not-smaller", fmt::format("would become {} bytes, no smaller than its {}",
                                              packed.bytes.size(), file.size())});
  }
  if (file.size() > kMaxExpansion * packed.bytes.size()) {
    return refuse({"expansion", fmt::format("has {} bytes of almost nothing; readers refuse "
                                            "files that grow more than {}-fold",
                                            file.size(), kMaxExpansion)});
  }
  demand_round_trip(packed.bytes, file, path);
  const PackInfo info = inspect(packed.bytes, path);
  packed.start_memory = info.start_memory;
  packed.warnings = warnings_of(plan, visible, packed_rest_of(info));
  return {.packed = std::move(packed), .refusal = std::nullopt};
}

}  // namespace whittle::packer
