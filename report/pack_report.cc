// SPDX-License-Identifier: MIT
#include "report/pack_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/text.h"
#include "report/json.h"
#include "report/refusal_json.h"
#include "report/text_table.h"

namespace whittle::report {
namespace {

std::size_t passed(const std::vector<packer::Check>& checks) {
  return static_cast<std::size_t>(std::count_if(
      checks.begin(), checks.end(), [](const packer::Check& check) { return check.ok; }));
}

// Nothing checked is nothing found to be right.
bool all_ok(const std::vector<packer::Check>& checks) {
  return !checks.empty() && passed(checks) == checks.size();
}

std::string not_packed(std::string_view path, const packer::Refusal& refusal) {
  return fmt::format("{}: not packed: {} [{}]\n", printable(path), printable(refusal.reason),
                     refusal.code);
}

std::string warning_lines(const std::vector<std::string>& warnings) {
  std::string out;
  for (const std::string& warning : warnings) {
    out += fmt::format("  warning: {}\n", printable(warning));
  }
  return out;
}

}  // namespace

std::string start_memory_text(std::uint64_t bytes) {
  return fmt::format("about {} of memory, besides what the program uses", human_size(bytes));
}

std::string pack_text(std::string_view path, const packer::PackDecision& decision) {
  if (!decision.packed) return not_packed(path, *decision.refusal);
  const packer::PackedFile& packed = *decision.packed;
  std::string out = fmt::format("{}: packed, {} bytes instead of {} ({})\n", printable(path),
                                group_digits(packed.bytes.size()), group_digits(packed.source_size),
                                percent(packed.bytes.size(), packed.source_size));
  if (packed.original_size != packed.source_size) {
    out += fmt::format("  first stripped to {} bytes\n", group_digits(packed.original_size));
  }
  out += fmt::format("  to start: {}\n", start_memory_text(packed.start_memory));
  if (!packed.choice.empty()) {
    out += fmt::format("  level {}: {}\n", packed.level, printable(packed.choice));
  }
  return out + warning_lines(packed.warnings);
}

std::string pack_json(std::string_view path, const packer::PackDecision& decision) {
  Json out = {
      {"schema", "whittle.pack/1"}, {"path", path}, {"packed", decision.packed.has_value()}};
  if (decision.packed) {
    out["original_bytes"] = decision.packed->original_size;
    out["source_bytes"] = decision.packed->source_size;
    out["packed_bytes"] = decision.packed->bytes.size();
    out["start_memory_bytes"] = decision.packed->start_memory;
    out["level"] = decision.packed->level;
    if (!decision.packed->choice.empty()) out["choice"] = decision.packed->choice;
    out["warnings"] = decision.packed->warnings;
  }
  if (decision.refusal) out["refusal"] = refusal_json(decision.refusal);
  return dump(out);
}

std::string packable_text(std::string_view path, const packer::Packability& packability) {
  if (packability.refusal) return not_packed(path, *packability.refusal);
  return fmt::format("{}: can be packed\n", printable(path)) + warning_lines(packability.warnings);
}

std::string packable_json(std::string_view path, const packer::Packability& packability) {
  return dump({{"schema", "whittle.pack-check/1"},
               {"path", path},
               {"packable", !packability.refusal},
               {"refusal", refusal_json(packability.refusal)},
               {"warnings", packability.warnings}});
}

std::string verify_text(std::string_view path, const std::vector<packer::Check>& checks) {
  TextTable table({Align::left, Align::left, Align::left});
  for (const packer::Check& check : checks) {
    table.add_row({check.ok ? "ok" : "FAILED", printable(check.name), printable(check.detail)});
  }
  return fmt::format("{}\n{}{} of {} passed{}\n", printable(path), table.text("  "),
                     group_digits(passed(checks)), count(checks.size(), "check"),
                     all_ok(checks) ? "" : ": the file is damaged");
}

std::string verify_json(std::string_view path, const std::vector<packer::Check>& checks) {
  Json list = Json::array();
  for (const packer::Check& check : checks) {
    list.push_back({{"name", check.name}, {"ok", check.ok}, {"detail", check.detail}});
  }
  return dump({{"schema", "whittle.verify/1"},
               {"path", path},
               {"ok", all_ok(checks)},
               {"checks", std::move(list)}});
}

}  // namespace whittle::report
