// SPDX-License-Identifier: MIT
#include "common/section_table.h"

#include <string_view>

namespace whittle::elf {
namespace {

constexpr std::string_view kNamesSection = ".shstrtab";
constexpr std::uint32_t kTypeStrTab = 3;

class Emitter {
 public:
  explicit Emitter(const Header& header) : header_(header) {}

  void number(unsigned width, std::uint64_t value) {
    for (unsigned i = 0; i < width; i++) {
      const unsigned byte = header_.order == ByteOrder::little ? i : width - 1 - i;
      bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * byte)));
    }
  }
  void section(std::uint64_t name, const SectionEntry& s) {
    const unsigned word = header_.is_64bit ? 8 : 4;
    number(4, name);
    number(4, s.type);
    number(word, s.flags);
    number(word, s.addr);
    number(word, s.offset);
    number(word, s.size);
    number(4, 0);  // sh_link
    number(4, 0);  // sh_info
    number(word, s.align);
    number(word, 0);  // sh_entsize
  }
  Bytes take() { return std::move(bytes_); }

 private:
  const Header& header_;
  Bytes bytes_;
};

}  // namespace

Bytes section_names(const std::vector<SectionEntry>& sections) {
  Bytes names = {0};
  const auto append = [&](std::string_view name) {
    names.insert(names.end(), name.begin(), name.end());
    names.push_back(0);
  };
  for (const SectionEntry& s : sections) append(s.name);
  append(kNamesSection);
  return names;
}

Bytes section_headers(const std::vector<SectionEntry>& sections, std::uint64_t names_offset,
                      const Header& header) {
  Emitter emitter(header);
  emitter.section(0, {.name = {}, .type = kSectionNull, .align = 0});
  std::uint64_t name = 1;
  for (const SectionEntry& s : sections) {
    emitter.section(name, s);
    name += s.name.size() + 1;
  }
  emitter.section(name, {.name = {},
                         .type = kTypeStrTab,
                         .offset = names_offset,
                         .size = name + kNamesSection.size() + 1});
  return emitter.take();
}

}  // namespace whittle::elf
