// SPDX-License-Identifier: MIT
#include "report/attribution_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "common/text.h"
#include "report/json.h"
#include "report/text_table.h"

namespace whittle::report {
namespace {

using analyzer::Share;

void add_table(std::string_view title, const std::vector<Share>& shares, std::uint64_t size,
               std::size_t rows, std::string& out) {
  if (shares.empty()) return;
  TextTable table({Align::left, Align::right, Align::right});
  table.add_row({std::string(title), "bytes", "of the file"});
  std::uint64_t rest = 0;
  for (std::size_t i = 0; i < shares.size(); i++) {
    if (i >= rows) {
      rest += shares[i].bytes;
    } else {
      table.add_row(
          {shares[i].name, group_digits(shares[i].bytes), percent(shares[i].bytes, size)});
    }
  }
  if (rest > 0) {
    table.add_row({count(shares.size() - rows, "other"), group_digits(rest), percent(rest, size)});
  }
  out += '\n' + table.text("  ");
}

Json shares_json(const std::vector<Share>& shares) {
  Json out = Json::array();
  for (const Share& share : shares) out.push_back({{"name", share.name}, {"bytes", share.bytes}});
  return out;
}

struct Change {
  std::string name;
  std::uint64_t before = 0, after = 0;

  std::uint64_t distance() const { return before > after ? before - after : after - before; }
};

std::vector<Change> changes(const AttributedFile& before, const AttributedFile& after) {
  std::map<std::string, Change> by_name;
  for (const Share& share : before.attribution.owners) by_name[share.name].before = share.bytes;
  for (const Share& share : after.attribution.owners) by_name[share.name].after = share.bytes;
  std::vector<Change> out;
  for (auto& [name, change] : by_name) {
    change.name = name;
    if (change.before != change.after) out.push_back(change);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Change& a, const Change& b) { return a.distance() > b.distance(); });
  return out;
}

std::string difference(std::uint64_t before, std::uint64_t after) {
  return after >= before ? "+" + group_digits(after - before) : "-" + group_digits(before - after);
}

}  // namespace

std::string attribution_text(const AttributedFile& file, std::size_t rows) {
  const analyzer::Attribution& found = file.attribution;
  std::string out = fmt::format("{}: {}\n", printable(file.path), count(found.size, "byte"));
  add_table("owner", found.owners, found.size, rows, out);
  add_table("section", found.sections, found.size, rows, out);
  add_table("segment", found.segments, found.size, rows, out);
  std::vector<Share> functions = found.functions;
  if (functions.size() > rows) functions.resize(rows);
  add_table("largest function or object", functions, found.size, rows, out);
  return out;
}

std::string attribution_json(const AttributedFile& file) {
  return dump({{"schema", "whittle.attribution/1"},
               {"path", file.path},
               {"size_bytes", file.attribution.size},
               {"owners", shares_json(file.attribution.owners)},
               {"sections", shares_json(file.attribution.sections)},
               {"segments", shares_json(file.attribution.segments)},
               {"functions", shares_json(file.attribution.functions)}});
}

std::string growth_text(const AttributedFile& before, const AttributedFile& after,
                        std::size_t rows) {
  TextTable table({Align::left, Align::right, Align::right, Align::right});
  table.add_row({"owner", "before", "after", "difference"});
  const std::vector<Change> all = changes(before, after);
  for (std::size_t i = 0; i < std::min(rows, all.size()); i++) {
    table.add_row({all[i].name, group_digits(all[i].before), group_digits(all[i].after),
                   difference(all[i].before, all[i].after)});
  }
  std::string out = fmt::format("{}: {}\n{}: {}, {}\n", printable(before.path),
                                count(before.attribution.size, "byte"), printable(after.path),
                                count(after.attribution.size, "byte"),
                                difference(before.attribution.size, after.attribution.size));
  if (all.empty()) return out;
  out += '\n' + table.text("  ");
  if (all.size() > rows) out += fmt::format("  and {} that changed less\n", all.size() - rows);
  return out;
}

std::string growth_json(const AttributedFile& before, const AttributedFile& after) {
  Json owners = Json::array();
  for (const Change& change : changes(before, after)) {
    owners.push_back({{"name", change.name}, {"before", change.before}, {"after", change.after}});
  }
  return dump({{"schema", "whittle.growth/1"},
               {"before", before.path},
               {"after", after.path},
               {"size_before", before.attribution.size},
               {"size_after", after.attribution.size},
               {"owners", std::move(owners)}});
}

}  // namespace whittle::report
