// SPDX-License-Identifier: MIT
//
// Holds FORMAT.md's tables of x86-64 opcodes to the code that walks instructions. The tables are
// parsed, an interpreter below walks by them as a reader of the document would, and for every
// opcode after every kind of prefix, with every ModRM and SIB byte that makes a difference, the
// result must be that of the code.
//
// A transform does not tell where it saw an instruction end. So the instruction is followed by
// bytes that are all e8: to a walk each group of five is a call, whose operand changes. A walk that
// ends the instruction elsewhere changes other bytes.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.h"
#include "common/file.h"
#include "tests/unit/packer/transforms/x86_transform.h"

namespace whittle {
namespace {

using test::kX86;
constexpr std::size_t kRegionSize = 64, kPiece = 32 * 1024, kTail = 16;

// The numbers of "00–03 0d, and so on", up to the first word that is none.
std::vector<unsigned> numbers_in(const std::string& text, int base) {
  static constexpr std::string_view kDash = "–";
  const auto number = [&](std::string_view word, unsigned& value) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, base);
    return error == std::errc() && end == word.data() + word.size();
  };
  std::vector<unsigned> numbers;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word.back() == ',') word.pop_back();
    const std::size_t dash = word.find(kDash);
    unsigned first = 0, last = 0;
    if (!number(word.substr(0, dash), first)) break;
    if (dash == std::string::npos) {
      last = first;
    } else if (!number(word.substr(dash + kDash.size()), last)) {
      break;
    }
    for (unsigned i = first; i <= last; i++) numbers.push_back(i);
  }
  return numbers;
}

// What the document says of each byte, in its own words.
struct Document {
  std::vector<unsigned> prefixes;
  std::array<std::string, 256> one_byte, two_byte;
  std::map<std::pair<unsigned, unsigned>, std::string> modrm;  // by mod and rm
};

using Row = std::vector<std::string>;  // cells

std::vector<Row> table_under(const std::string& text, const std::string& heading) {
  std::vector<Row> rows;
  std::size_t at = text.find(heading);
  if (at == std::string::npos) throw std::runtime_error("no table headed " + heading);
  for (int line = 0; line < 2; line++) at = text.find('\n', at) + 1;  // the heading and its rule
  while (text[at] == '|') {
    const std::size_t end = text.find('\n', at);
    Row row;
    for (std::size_t cell = at + 1; cell < end;) {
      const std::size_t bar = text.find('|', cell);
      row.push_back(text.substr(cell + 1, bar - cell - 2));
      cell = bar + 1;
    }
    rows.push_back(row);
    at = end + 1;
  }
  return rows;
}

std::array<std::string, 256> opcodes_under(const std::string& text, const std::string& heading) {
  std::array<std::string, 256> opcodes;
  std::string every_other;
  for (const Row& row : table_under(text, heading)) {
    if (row[0] == "every other") every_other = row[1];
    for (const unsigned opcode : numbers_in(row[0], 16)) {
      EXPECT_TRUE(opcodes.at(opcode).empty()) << fmt::format("{:02x} is there twice", opcode);
      opcodes.at(opcode) = row[1];
    }
  }
  for (std::string& follows : opcodes) {
    if (follows.empty()) follows = every_other;
  }
  return opcodes;
}

Document parse_document() {
  const Bytes bytes = read_file(WHITTLE_SOURCE "/packer/FORMAT.md").bytes;
  const std::string text(as_text(bytes));
  Document document;
  static const std::string kPrefixes = "**Prefixes**: bytes of ";
  document.prefixes = numbers_in(text.substr(text.find(kPrefixes) + kPrefixes.size(), 60), 16);
  document.one_byte = opcodes_under(text, "| opcodes of one byte |");
  document.two_byte = opcodes_under(text, "| second bytes after 0f |");
  for (const Row& row : table_under(text, "| mod | rm |")) {
    for (const unsigned mod : numbers_in(row[0], 10)) {
      for (const unsigned rm : numbers_in(row[1] == "any" ? "0–7" : row[1], 10)) {
        std::string& follows = document.modrm[{mod, rm}];
        if (follows.empty()) {
          follows = row[2];
        } else if (follows.ends_with("then as below")) {
          follows += " + " + row[2];
        }
      }
    }
  }
  return document;
}

// Walks one instruction as the document says, and nothing else.
class Walk {
 public:
  Walk(const Document& document, const Bytes& code, std::size_t from)
      : document_(document), code_(code), at_(from) {
    bool narrow = false, wide = false;
    for (; is_prefix(byte()); at_++) {
      wide = byte() >= 0x48 && byte() <= 0x4f;
      narrow = !wide && (narrow || byte() == 0x66);
    }
    for (char letter : opcode()) {
      if (letter == 't') letter = test_immediate();
      if (letter == 'r') operand_ = at_;
      if (letter == 'M') {
        operands();
      } else {
        at_ += letter == 'z'   ? (narrow ? 2 : 4)
               : letter == 'v' ? (wide     ? 8
                                  : narrow ? 2
                                           : 4)
               : letter == 'r' ? 4
                               : digit(letter);
      }
    }
  }
  std::size_t end() const { return at_; }
  std::size_t operand() const { return operand_; }  // 0: none

 private:
  // A sweep may run out of its piece, where nothing is transformed any more.
  unsigned byte() const { return at_ < code_.size() ? code_[at_] : 0; }
  unsigned next() {
    const unsigned value = byte();
    at_++;
    return value;
  }
  bool is_prefix(unsigned byte) const {
    return std::find(document_.prefixes.begin(), document_.prefixes.end(), byte) !=
           document_.prefixes.end();
  }
  // `M1` is "M1", nothing is "".
  static std::string letters(const std::string& cell) {
    if (cell == "nothing") return "";
    if (cell.size() > 2 && cell.front() == '`' && cell.back() == '`') {
      return cell.substr(1, cell.size() - 2);
    }
    throw std::runtime_error("no such cell is known: " + cell);
  }
  std::string opcode() {
    opcode_ = next();
    const std::string& cell = document_.one_byte[opcode_];
    if (cell == "the opcode's second byte") {
      const std::string& second = document_.two_byte[next()];
      static const std::string kThird = "a third byte, then ";
      if (second.rfind(kThird, 0) != 0) return letters(second);
      at_++;
      return letters(second.substr(kThird.size()));
    }
    if (cell != "1, 2, 3 bytes, then an opcode of a map") return letters(cell);
    unsigned map = 1;
    if (opcode_ != 0xc5) map = byte() & 7U;
    at_ += opcode_ == 0xc5 ? 1 : opcode_ == 0xc4 ? 2 : 3;
    opcode_ = next();
    if (map == 3) return "M1";
    if (map != 1) return "M";
    const bool excepted = opcode_ == 0x38 || opcode_ == 0x3a || (opcode_ & 0xf0) == 0x80;
    return excepted ? "" : letters(document_.two_byte[opcode_]);
  }
  void operands() {
    modrm_ = next();
    const unsigned mod = modrm_ >> 6, rm = modrm_ & 7;
    std::istringstream parts(document_.modrm.at({mod, rm}));
    for (std::string part; std::getline(parts, part, '+');) {
      part.erase(0, part.find_first_not_of(' '));
      part.erase(part.find_last_not_of(' ') + 1);
      if (part == "nothing") continue;
      if (part == "1 byte") {
        at_ += 1;
      } else if (part == "4 bytes") {
        at_ += 4;
      } else if (part == "4 bytes, relative to the instruction pointer") {
        operand_ = at_;
        at_ += 4;
      } else if (part ==
                 "a SIB byte; with mod = 0 and SIB bits 2–0 = 5, 4 more bytes; then as below") {
        const unsigned sib = next();
        if (mod == 0 && (sib & 7) == 5) at_ += 4;
      } else {
        throw std::runtime_error("no such cell is known: " + part);
      }
    }
  }
  // f6 and f7: an immediate for TEST alone.
  char test_immediate() const { return (modrm_ & 0x30) != 0 ? '0' : opcode_ == 0xf6 ? '1' : 'z'; }
  static std::size_t digit(char letter) {
    if (letter < '0' || letter > '8') throw std::runtime_error("no such letter is known");
    return static_cast<std::size_t>(letter - '0');
  }

  const Document& document_;
  const Bytes& code_;
  std::size_t at_, operand_ = 0;
  unsigned opcode_ = 0, modrm_ = 0;
};

Bytes transformed_by(const Document& document, Bytes code) {
  for (std::size_t piece = 0; piece < code.size(); piece += kPiece) {
    const std::size_t end = std::min(piece + kPiece, code.size());
    for (std::size_t at = piece; at < end;) {
      const Walk instruction(document, code, at);
      at = instruction.end();
      const std::size_t operand = instruction.operand();
      if (operand == 0 || operand + kTail > end) continue;
      std::uint32_t value = 0;
      for (std::size_t i = 4; i-- > 0;) value = value << 8 | code[operand + i];
      value += static_cast<std::uint32_t>(kX86.address + at);
      for (std::size_t i = 0; i < 4; i++) {
        code[operand + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
      }
    }
  }
  return code;
}

class X86Format : public testing::Test {
 protected:
  // Whether the code walks `start`, and the calls behind it, as the document says.
  void expect_documented(Bytes start) {
    const std::size_t size = start.size();
    start.resize(kRegionSize, 0xe8);
    if (kX86.to_absolute(start) != transformed_by(document_, start)) {
      start.resize(size);
      ADD_FAILURE() << fmt::format("{:02x}", fmt::join(start, " "));
    }
  }
  // The opcodes that begin with `opcode` and end with any byte, each behind each of `prefixes` and
  // in front of one ModRM byte for each row of its table and each case of f6 and f7.
  void expect_all_documented(const Bytes& opcode, const std::vector<Bytes>& prefixes) {
    for (const Bytes& prefix : prefixes) {
      for (unsigned last = 0; last < 256; last++) {
        for (const unsigned modrm : {0x00, 0x04, 0x05, 0x0d, 0x15, 0x25, 0x35, 0x45, 0x85, 0xc5}) {
          Bytes start = prefix;
          start.insert(start.end(), opcode.begin(), opcode.end());
          start.push_back(static_cast<std::uint8_t>(last));
          start.push_back(static_cast<std::uint8_t>(modrm));
          expect_documented(start);
        }
      }
    }
  }
  const Document document_ = parse_document();
  const std::vector<Bytes> all_prefixes_ = {{}, {0x66}, {0x48}, {0x66, 0x48}, {0x48, 0x66}};
};

TEST_F(X86Format, OpcodesOfOneByte) { expect_all_documented({}, all_prefixes_); }

TEST_F(X86Format, OpcodesOfTwoAndThreeBytes) {
  expect_all_documented({0x0f}, all_prefixes_);
  expect_all_documented({0x0f, 0x38}, all_prefixes_);
  expect_all_documented({0x0f, 0x3a}, all_prefixes_);
}

TEST_F(X86Format, OpcodesOfMaps) {
  const std::vector<Bytes> prefixes = {{}, {0x66}};
  expect_all_documented({0xc5, 0xf8}, prefixes);
  for (std::uint8_t map = 0; map < 16; map++) expect_all_documented({0xc4, map, 0x71}, prefixes);
  for (std::uint8_t map = 0; map < 8; map++) {
    expect_all_documented({0x62, map, 0x7c, 0x48}, prefixes);
  }
}

TEST_F(X86Format, ModRmAndSib) {
  for (unsigned i = 0; i < 65536; i++) {
    expect_documented({0x8b, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)});
  }
}

// A call and an operand behind ModRM at each place around the end of a piece; and real code.
TEST_F(X86Format, Pieces) {
  for (const std::size_t size : {kPiece - 1, kPiece, kPiece + 40, 2 * kPiece + 7}) {
    Bytes code(size, 0x90);
    const std::size_t end = size > kPiece ? kPiece : size;
    for (std::size_t at = end - 40; at + 5 < size && at < end + 20; at++) {
      Bytes with = code;
      with[at] = 0xe8;
      EXPECT_EQ(kX86.to_absolute(with), transformed_by(document_, with)) << size << " " << at;
      with[at] = 0x8b, with[at + 1] = 0x05;
      EXPECT_EQ(kX86.to_absolute(with), transformed_by(document_, with)) << size << " " << at;
    }
  }
  Bytes self = read_file("/proc/self/exe").bytes;
  self.erase(self.begin(), self.begin() + static_cast<std::ptrdiff_t>(self.size() / 3));
  self.resize(std::min<std::size_t>(self.size(), 1'000'000));
  EXPECT_EQ(kX86.to_absolute(self), transformed_by(document_, self));
}

// In any order.
TEST_F(X86Format, Prefixes) {
  for (unsigned i = 0; i < 4096; i++) {
    static constexpr std::uint8_t kPrefixes[] = {0x66, 0x48, 0x41, 0x2e, 0x67, 0xf3, 0x4f, 0x26};
    Bytes start;
    for (unsigned k = 0; k < 4; k++) start.push_back(kPrefixes[i >> (3 * k) & 7]);
    for (const Bytes& opcode :
         {Bytes{0xc7, 0x05}, Bytes{0xb9}, Bytes{0xf7, 0x05}, Bytes{0x0f, 0x84}}) {
      Bytes all = start;
      all.insert(all.end(), opcode.begin(), opcode.end());
      expect_documented(all);
    }
  }

  for (unsigned prefix = 0; prefix < 256; prefix++) {
    for (std::size_t count = 1; count < 12; count++) {
      Bytes start(count, static_cast<std::uint8_t>(prefix));
      start.insert(start.end(), {0xc7, 0x05});  // mov dword [rip + …], imm32
      expect_documented(start);
    }
  }
}

}  // namespace
}  // namespace whittle
