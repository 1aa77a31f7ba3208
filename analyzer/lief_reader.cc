// SPDX-License-Identifier: MIT
//
// The only file that includes LIEF. LIEF knows ELF more broadly than our own reader, and trusts
// files more: on damaged ones it has crashed, looped and taken gigabytes. So it runs in a child
// process with limits, for its reader only (its writer damages files), and what it says adds to a
// verdict that was made without it.
//
// It builds with LIEF 0.9 and is written for later releases too. What they have in common is used
// where there is such a thing: numbers of the format in place of enumerators, which moved into
// classes. Where a name changed the compiler finds out which there is; 0.9 tells its version as
// text only, which the preprocessor cannot compare. LIEF's messages are not turned off, because
// that changed its name as well; they go to the child's /dev/null.
//
// LIEF undefines the macros of <elf.h>; include neither that nor our elf.h's users here.
#include "analyzer/lief_reader.h"

#include <sys/mman.h>
#include <unistd.h>

#include <LIEF/ELF.hpp>
#include <algorithm>

#include "analyzer/limited_child.h"
#include "common/error.h"

namespace whittle::analyzer {
namespace {

// What is longer than these is cut in the child, so that the answer stays small.
constexpr std::size_t kMaxString = 1024;
constexpr std::size_t kMaxList = 10000;

class Writer {
 public:
  void number(std::uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      bytes_.push_back(static_cast<std::uint8_t>(value >> shift));
    }
  }
  void text(std::string_view value) {
    value = value.substr(0, kMaxString);
    number(value.size());
    const ByteView raw = as_bytes(value);
    bytes_.insert(bytes_.end(), raw.begin(), raw.end());
  }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

class Reader {
 public:
  explicit Reader(ByteView bytes) : reader_(bytes, ByteOrder::little, "LIEF's answer") {}

  std::uint64_t number() {
    const std::uint64_t value = reader_.u64(at_, "a number");
    at_ += 8;
    return value;
  }
  std::string text() {
    const std::uint64_t length = number();
    const std::string value(as_text(reader_.slice(at_, length, "a string")));
    at_ += length;
    return value;
  }
  // The length of a list; every element takes at least the 8 bytes of its own length.
  std::uint64_t count() {
    const std::uint64_t value = number();
    if (value > (reader_.size() - at_) / 8) {
      throw Error(ErrorKind::malformed, "LIEF's answer", "a list is longer than the answer", at_);
    }
    return value;
  }
  void finish() const {
    if (at_ != reader_.size()) {
      throw Error(ErrorKind::malformed, "LIEF's answer", "has trailing bytes", at_);
    }
  }

 private:
  ByteReader reader_;
  std::uint64_t at_ = 0;
};

// The entries of .symtab: static_symbols(), and symtab_symbols() in later releases.
template <typename Binary>
std::uint64_t count_symtab(const Binary& binary) {
  if constexpr (requires { binary.symtab_symbols(); }) {
    return binary.symtab_symbols().size();
  } else {
    return binary.static_symbols().size();
  }
}

LiefSummary summarize(const LIEF::ELF::Binary& binary) {
  constexpr int kClass64 = 2;  // EI_CLASS
  const LIEF::ELF::Header& header = binary.header();
  LiefSummary summary;
  summary.machine = static_cast<std::uint32_t>(header.machine_type());
  summary.bits = static_cast<int>(header.identity_class()) == kClass64 ? 64 : 32;
  summary.type = static_cast<std::uint32_t>(header.file_type());
  summary.entry = header.entrypoint();
  summary.segments = binary.segments().size();
  summary.symbols = count_symtab(binary);
  summary.dynamic_symbols = binary.dynamic_symbols().size();
  if (binary.has_interpreter()) summary.interpreter = binary.interpreter();
  summary.needed = binary.imported_libraries();
  for (const LIEF::ELF::Section& section : binary.sections()) {
    summary.sections.push_back({section.name(), LIEF::ELF::to_string(section.type())});
  }
  return summary;
}

// Takes the pages that lie wholly in `bytes` from this process, for good.
void forget(ByteView bytes) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = align_up(reinterpret_cast<std::uintptr_t>(bytes.data()), page);
  const auto end = reinterpret_cast<std::uintptr_t>(bytes.data() + bytes.size()) & ~(page - 1);
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

Bytes parse_in_child(ByteView bytes) {
  const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  forget(bytes);  // the parent has its own; LIEF is about to make copies of the copy
  const auto binary = LIEF::ELF::Parser::parse(copy);
  if (binary == nullptr) {
    throw Error(ErrorKind::malformed, "", "LIEF gives no binary");
  }
  return encode(summarize(*binary));
}

}  // namespace

Bytes encode(const LiefSummary& summary) {
  Writer writer;
  for (const std::uint64_t value :
       {std::uint64_t{summary.machine}, std::uint64_t{summary.bits}, std::uint64_t{summary.type},
        summary.entry, summary.segments, summary.symbols, summary.dynamic_symbols}) {
    writer.number(value);
  }
  writer.text(summary.interpreter);
  const std::size_t needed = std::min(summary.needed.size(), kMaxList);
  writer.number(needed);
  for (std::size_t i = 0; i < needed; i++) writer.text(summary.needed[i]);
  const std::size_t sections = std::min(summary.sections.size(), kMaxList);
  writer.number(sections);
  for (std::size_t i = 0; i < sections; i++) {
    writer.text(summary.sections[i].name);
    writer.text(summary.sections[i].type);
  }
  return writer.take();
}

LiefSummary decode(ByteView bytes) {
  Reader reader(bytes);
  LiefSummary summary;
  summary.machine = static_cast<std::uint32_t>(reader.number());
  summary.bits = static_cast<std::uint32_t>(reader.number());
  summary.type = static_cast<std::uint32_t>(reader.number());
  summary.entry = reader.number();
  summary.segments = reader.number();
  summary.symbols = reader.number();
  summary.dynamic_symbols = reader.number();
  summary.interpreter = reader.text();
  const std::uint64_t needed = reader.count();
  for (std::uint64_t i = 0; i < needed; i++) summary.needed.push_back(reader.text());
  const std::uint64_t sections = reader.count();
  for (std::uint64_t i = 0; i < sections; i++) {
    std::string name = reader.text();
    summary.sections.push_back({std::move(name), reader.text()});
  }
  reader.finish();
  return summary;
}

LiefAnswer read_with_lief(ByteView bytes) {
  ChildLimits limits;
  limits.address_space += bytes.size();  // the child starts with the parent's copy of the file
  const ChildAnswer answer = run_limited([&] { return parse_in_child(bytes); }, limits);
  if (!answer.bytes) return {{}, answer.problem};
  try {
    return {decode(*answer.bytes), {}};
  } catch (const Error& error) {
    return {{}, "gave a damaged answer: " + error.message()};
  }
}

}  // namespace whittle::analyzer
