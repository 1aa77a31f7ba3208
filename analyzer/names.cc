// SPDX-License-Identifier: MIT
#include "analyzer/names.h"

#include <fmt/format.h>

#include "analyzer/report.h"
#include "common/elf.h"

namespace whittle::analyzer {

std::string_view name(Kind kind) {
  switch (kind) {
    case Kind::static_executable:
      return "static";
    case Kind::static_pie:
      return "static-pie";
    case Kind::dynamic_executable:
      return "dynamic";
    case Kind::other_system:
      return "other-system";
    case Kind::packed:
      return "packed";
    case Kind::shared_object:
      return "shared-object";
    case Kind::relocatable:
      return "relocatable";
    case Kind::core:
      return "core";
    case Kind::script:
      return "script";
    case Kind::not_elf:
      break;
  }
  return "not-elf";
}

std::string_view name(HardeningState state) {
  switch (state) {
    case HardeningState::not_applicable:
      return "not-applicable";
    case HardeningState::unknown:
      return "unknown";
    case HardeningState::no:
      return "no";
    case HardeningState::partial:
      return "partial";
    case HardeningState::yes:
      break;
  }
  return "yes";
}

bool is_static(Kind kind) { return kind == Kind::static_executable || kind == Kind::static_pie; }

std::string segment_type_name(std::uint32_t type) {
  switch (type) {
    case 0:
      return "NULL";
    case elf::kSegmentLoad:
      return "LOAD";
    case elf::kSegmentDynamic:
      return "DYNAMIC";
    case elf::kSegmentInterp:
      return "INTERP";
    case elf::kSegmentNote:
      return "NOTE";
    case 5:
      return "SHLIB";
    case elf::kSegmentPhdr:
      return "PHDR";
    case elf::kSegmentTls:
      return "TLS";
    case elf::kSegmentGnuEhFrame:
      return "GNU_EH_FRAME";
    case elf::kSegmentGnuStack:
      return "GNU_STACK";
    case elf::kSegmentGnuRelro:
      return "GNU_RELRO";
    case elf::kSegmentGnuProperty:
      return "GNU_PROPERTY";
    default:
      return fmt::format("{:#x}", type);
  }
}

std::string segment_flags_name(std::uint32_t flags) {
  std::string text = "---";
  if ((flags & elf::kFlagRead) != 0) text[0] = 'R';
  if ((flags & elf::kFlagWrite) != 0) text[1] = 'W';
  if ((flags & elf::kFlagExecute) != 0) text[2] = 'X';
  return text;
}

}  // namespace whittle::analyzer
