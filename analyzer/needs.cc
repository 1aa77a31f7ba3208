// SPDX-License-Identifier: MIT
//
// One pass over each kind of name: names are looked up in the rules, not rules in the names,
// because there are a hundred rules and often a hundred thousand names. Texts are searched one by
// one; only those that mean something for the program's language and C library are.
#include "analyzer/needs.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "analyzer/need_rules.h"
#include "common/text.h"

namespace whittle::analyzer {
namespace {

constexpr std::size_t kMaxEvidence = 8;

struct Hit {
  const NeedRule* rule = nullptr;
  Evidence evidence;
};

std::uint8_t runtimes_of(const Toolchain& toolchain) {
  const bool rust = toolchain.language == "Rust";
  if (toolchain.libc == "glibc") {
    const std::uint8_t glibc = rust ? kGlibcRust : kGlibc;
    return toolchain.language == "Go" ? kGo | glibc : glibc;
  }
  if (toolchain.language == "Go") return toolchain.libc.empty() ? kGo : kGo | kMusl;
  return rust ? kMuslRust : kMusl;
}

// The rules of some kinds of sign, to be asked about one name after the other.
class NameRules {
 public:
  void add(const NeedRule& rule, std::string_view pattern) {
    if (pattern.find('*') == std::string_view::npos) {
      exact_.emplace(pattern, &rule);
    } else {
      patterns_.push_back({pattern, &rule});
    }
  }
  template <typename Take>
  void ask(std::string_view name, Take take) const {
    const auto [first, last] = exact_.equal_range(name);
    for (auto it = first; it != last; ++it) take(*it->second);
    for (const auto& [pattern, rule] : patterns_) {
      if (matches(pattern, name)) take(*rule);
    }
  }

 private:
  std::unordered_multimap<std::string_view, const NeedRule*> exact_;
  std::vector<std::pair<std::string_view, const NeedRule*>> patterns_;
};

bool may_be_function(const Symbol& symbol) {
  constexpr std::uint8_t kIndirect = 10;  // STT_GNU_IFUNC
  return symbol.type == kSymbolNoType || symbol.type == kSymbolFunction || symbol.type == kIndirect;
}

std::string base_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

std::string command_of(const SupplyRule& rule) {
  // Of a folder it is one file that is added, where it is on the host.
  const std::string_view place = rule.what == Supply::What::folder ? rule.source : rule.path;
  const std::string source = rule.source.empty() ? base_name(rule.path) : std::string(rule.source);
  std::string out = fmt::format("whittle image --add {}:{}", source, place);
  if (rule.what == Supply::What::program) out += ":0755";
  if (!rule.also.empty()) out += fmt::format(" --add {}:{}", base_name(rule.also), rule.also);
  return out;
}

class Matcher {
 public:
  explicit Matcher(const NeedSigns& signs)
      : signs_(signs), runtimes_(runtimes_of(signs.toolchain)) {
    for (const NeedRule& rule : need_rules()) {
      if ((rule.runtimes & runtimes_) != 0) rules_.push_back(&rule);
    }
  }

  std::vector<Need> run() {
    match_go_functions();
    match_symbols();
    match_texts();
    std::vector<Need> needs;
    for (const NeedKind& kind : need_kinds()) {
      if (!is_mitigated(kind)) add(kind, needs);
    }
    return needs;
  }

 private:
  void hit(const NeedRule& rule, std::string_view sign, std::string_view name,
           std::optional<std::uint64_t> offset) {
    // A thousand symbols may fit one rule; a few tell enough.
    if (++counts_[&rule] > kMaxEvidence) return;
    hits_.push_back({&rule, {std::string(sign), printable(name), offset}});
  }

  // The name table has the functions that were inlined everywhere, too.
  void match_go_functions() {
    if (signs_.go_functions == nullptr) return;
    NameRules rules;
    for (const NeedRule* rule : rules_) {
      if (rule->sign == Sign::go_function) rules.add(*rule, rule->pattern);
    }
    std::unordered_set<std::string_view> wanted;
    for (const NeedRule* rule : rules_) {
      if (!rule->also.empty()) wanted.insert(rule->also);
    }
    const std::string_view names = signs_.go_functions->names;
    for (std::size_t at = 0; at < names.size();) {
      const std::size_t end = std::min(names.find('\0', at), names.size());
      const std::string_view name = names.substr(at, end - at);
      if (!name.empty()) {
        if (wanted.contains(name)) present_.insert(name);
        rules.ask(name, [&](const NeedRule& rule) {
          hit(rule, "function", name, signs_.go_functions->names_offset + at);
        });
        for (const Mitigation& mitigation : mitigations()) {
          if (matches(mitigation.go_function, name)) mitigated_.insert(mitigation.need);
        }
      }
      at = end + 1;
    }
  }

  void match_symbols() {
    NameRules rules, imports;
    for (const NeedRule* rule : rules_) {
      if (rule->sign == Sign::symbol) rules.add(*rule, rule->pattern);
      if (rule->sign == Sign::symbol || rule->sign == Sign::import) {
        imports.add(*rule, rule->pattern);
      }
    }
    for (const Symbol& symbol : signs_.symbols) {
      if (!symbol.defined || !may_be_function(symbol)) continue;
      has_symbols_ = true;
      rules.ask(symbol.name, [&](const NeedRule& rule) {
        hit(rule, "symbol", symbol.name, signs_.file.offset_of(symbol.value));
      });
    }
    for (const Symbol& symbol : signs_.dynamic_symbols) {
      if (symbol.defined || !may_be_function(symbol)) continue;
      has_symbols_ = has_symbols_ || signs_.dynamic;
      imports.ask(symbol.name,
                  [&](const NeedRule& rule) { hit(rule, "import", symbol.name, std::nullopt); });
    }
  }

  void match_texts() {
    for (const NeedRule* rule : rules_) {
      const bool library = rule->sign == Sign::library_text;
      if (library && has_symbols_) continue;
      const bool whole = rule->sign == Sign::whole_text, inside = rule->sign == Sign::text_inside;
      if (!library && !whole && !inside && rule->sign != Sign::text) continue;
      std::string wanted(whole ? 1 : 0, '\0');
      wanted += rule->pattern;
      if (!inside) wanted += '\0';
      if (const auto at = find_text(wanted))
        hit(*rule, "text", rule->pattern, *at + (whole ? 1 : 0));
    }
  }

  std::optional<std::uint64_t> find_text(std::string_view wanted) const {
    for (const elf::Segment& s : signs_.file.segments()) {
      if (s.type != elf::kSegmentLoad) continue;
      const std::size_t at = as_text(signs_.file.bytes().subspan(s.offset, s.filesz)).find(wanted);
      if (at != std::string_view::npos) return s.offset + at;
    }
    return std::nullopt;
  }

  bool is_mitigated(const NeedKind& kind) const { return mitigated_.contains(kind.id); }

  void add(const NeedKind& kind, std::vector<Need>& needs) const {
    std::vector<const Hit*> found;
    for (const Hit& candidate : hits_) {
      const NeedRule& rule = *candidate.rule;
      if (rule.need == kind.id && (rule.also.empty() || present_.contains(rule.also))) {
        found.push_back(&candidate);
      }
    }
    if (found.empty()) return;
    std::stable_sort(found.begin(), found.end(), [](const Hit* a, const Hit* b) {
      return a->rule->confidence > b->rule->confidence;
    });
    constexpr std::string_view kNames[] = {"low", "medium", "high"};
    Need need;
    need.id = kind.id;
    need.confidence = kNames[static_cast<std::size_t>(found.front()->rule->confidence)];
    need.title = kind.title;
    need.breaks = kind.breaks;
    add_supply(kind, need);
    for (const Hit* one : found) {
      if (need.evidence.size() < kMaxEvidence) need.evidence.push_back(one->evidence);
    }
    needs.push_back(std::move(need));
  }

  bool counts(const SupplyRule& rule) const {
    if ((rule.runtimes & runtimes_) == 0) return false;
    return !rule.if_named || signs_.dynamic || find_text(std::string(rule.path) + '\0');
  }

  // The ways that count for this program, and the first of them as a command.
  void add_supply(const NeedKind& kind, Need& need) const {
    const SupplyRule* advised = nullptr;
    for (const SupplyRule& rule : supply_rules()) {
      if (rule.need != kind.id) continue;
      if (counts(rule)) {
        if (need.ways.empty()) advised = &rule;
        need.ways.push_back({rule.what, {std::string(rule.path)}, std::string(rule.variable)});
        if (!rule.also.empty()) need.ways.back().paths.emplace_back(rule.also);
      }
      if (advised == nullptr) advised = &rule;
    }
    need.supply = kind.supply;
    const std::size_t mark = need.supply.find("{}");
    if (mark != std::string::npos) need.supply.replace(mark, 2, command_of(*advised));
  }

  const NeedSigns& signs_;
  std::uint8_t runtimes_;
  std::vector<const NeedRule*> rules_;
  bool has_symbols_ = false;
  std::vector<Hit> hits_;
  std::unordered_map<const NeedRule*, std::size_t> counts_;
  std::unordered_set<std::string_view> present_;    // of the functions named by NeedRule::also
  std::unordered_set<std::string_view> mitigated_;  // ids of needs
};

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  if (!name.starts_with(pattern.substr(0, star))) return false;
  name.remove_prefix(star);
  pattern.remove_prefix(star + 1);
  // Each part between two stars at its first place; the last part at the end.
  for (std::size_t next; (next = pattern.find('*')) != std::string_view::npos;) {
    const std::size_t at = name.find(pattern.substr(0, next));
    if (at == std::string_view::npos) return false;
    name.remove_prefix(at + next);
    pattern.remove_prefix(next + 1);
  }
  return name.ends_with(pattern);
}

std::vector<Need> find_needs(const NeedSigns& signs) { return Matcher(signs).run(); }

}  // namespace whittle::analyzer
