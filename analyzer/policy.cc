// SPDX-License-Identifier: MIT
#include "analyzer/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "analyzer/linkage.h"
#include "analyzer/need_rules.h"
#include "common/error.h"
#include "common/text.h"

namespace whittle::analyzer {
namespace {

struct HardeningRule {
  std::string_view name;
  HardeningState Hardening::*state;
  std::string_view what;
};
constexpr HardeningRule kHardeningRules[] = {
    {"nx", &Hardening::nx, "a stack that is not executable"},
    {"relro", &Hardening::relro, "full RELRO"},
    {"pie", &Hardening::pie, "position-independent code"},
    {"canary", &Hardening::canary, "stack canaries"},
    {"fortify", &Hardening::fortify, "checked library functions"},
    {"ibt", &Hardening::ibt, "indirect branch tracking"},
    {"shadow-stack", &Hardening::shadow_stack, "a shadow stack"},
    {"bti", &Hardening::bti, "branch target identification"},
    {"pac", &Hardening::pac, "pointer authentication"},
    {"no-writable-code", &Hardening::no_writable_code, "code that cannot be written to"},
};
constexpr std::string_view kPlainRules[] = {"static",   "static-pie",    "no-rpath",
                                            "stripped", "no-debug-info", "no-missing",
                                            "no-needs", "entrypoint"};
// The rule `entrypoint` where it is not asked for: what is not named or not known does not break
// it.
constexpr std::string_view kUsualEntrypoint = "entrypoint, if any";
constexpr std::string_view kComparisons[] = {"go>=", "rust>=", "glibc<=", "size<="};

[[noreturn]] void fail(std::string_view text, std::string_view message) {
  throw Error(ErrorKind::usage, "",
              fmt::format("the requirement `{}` {}", printable(text), message));
}

bool is_version(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  constexpr std::string_view kUnits[] = {"", "K", "M", "G"};
  for (unsigned i = 0; i < std::size(kUnits); i++) {
    if (unit == kUnits[i] && number <= UINT64_MAX >> (10 * i)) return number << (10 * i);
  }
  return std::nullopt;
}

// The first "1.2.3" in a compiler's signature.
std::string_view version_in(std::string_view text) {
  const std::size_t begin = text.find_first_of("0123456789");
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin);
  return text.substr(0, text.find_first_not_of("0123456789."));
}

std::optional<std::string> against_hardening(const HardeningRule& rule,
                                             const Hardening& hardening) {
  switch (hardening.*rule.state) {
    case HardeningState::yes:
    case HardeningState::not_applicable:
      return std::nullopt;
    case HardeningState::unknown:
      return fmt::format("does not show whether it has {}", rule.what);
    case HardeningState::partial:
      return fmt::format("has {} only in part", rule.what);
    case HardeningState::no:
      break;
  }
  return fmt::format("lacks {}", rule.what);
}

std::optional<std::string> against_needs(std::string_view id, const BinaryReport& report) {
  for (const Need& need : report.needs) {
    if (need.confidence == "low" || (!id.empty() && need.id != "needs/" + std::string(id)))
      continue;
    if (!need.supplied_by.empty()) continue;
    return fmt::format("may need {}: {} {}", need.title, need.evidence.at(0).kind,
                       printable(need.evidence.at(0).name));
  }
  return std::nullopt;
}

std::optional<std::string> against_compiler(std::string_view language, std::string_view least,
                                            const Toolchain& toolchain) {
  if (toolchain.language != language) return std::nullopt;
  const std::string_view version = version_in(toolchain.compiler);
  if (version.empty()) return fmt::format("does not show which {} built it", language);
  if (compare_versions(version, least) >= 0) return std::nullopt;
  return fmt::format("was built by {}", printable(toolchain.compiler));
}

std::optional<std::string> against_glibc(std::string_view most, const Linkage& linkage) {
  constexpr std::string_view kPrefix = "GLIBC_";
  for (const VersionNeed& need : linkage.versions) {
    if (!need.version.starts_with(kPrefix) ||
        compare_versions(need.version.substr(kPrefix.size()), most) <= 0) {
      continue;
    }
    return fmt::format("asks for {}{}", need.version,
                       need.symbols.empty() ? "" : ": " + need.symbols.front());
  }
  return std::nullopt;
}

std::optional<std::string> against_entrypoint(const Startup& startup, bool is_asked_for) {
  const bool is_wrong = startup.runs.answer == Answer::no && !startup.program.empty();
  if (startup.runs.answer == Answer::yes || (!is_asked_for && !is_wrong)) return std::nullopt;
  return startup.program.empty() ? startup.runs.problem
                                 : printable(startup.program) + " " + startup.runs.problem;
}

std::optional<std::string> against_scripts(const std::vector<Script>& scripts) {
  const Script* first = nullptr;
  std::size_t number = 0;
  for (const Script& script : scripts) {
    if (script.present == Answer::yes) continue;
    if (number++ == 0) first = &script;
  }
  if (number == 0) return std::nullopt;
  return fmt::format("{} {}{}", printable(first->path), first->problem,
                     number == 1 ? "" : fmt::format("; and {} more", number - 1));
}

}  // namespace

void Policy::require_the_usual() {
  require("static");
  rules_.push_back({"entrypoint", std::string(kUsualEntrypoint), ""});
}

bool Policy::is_about_images() const {
  return std::any_of(rules_.begin(), rules_.end(),
                     [](const Rule& rule) { return rule.name == "entrypoint"; });
}

std::vector<Violation> Policy::check(const ImageReport& image) const {
  std::vector<Violation> out;
  for (const Rule& rule : rules_) {
    std::optional<std::string> reason;
    if (rule.name == "entrypoint" || rule.name == kUsualEntrypoint) {
      reason = against_entrypoint(image.startup, rule.name == "entrypoint");
    } else if (rule.name == "no-missing") {
      reason = against_scripts(image.scripts);
    }
    if (reason) out.push_back({rule.text, std::move(*reason)});
  }
  return out;
}

void Policy::require(std::string_view text) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one.empty()) fail(one, "is empty");
    rules_.push_back(parse(one));
  }
}

Policy::Rule Policy::parse(std::string_view text) {
  for (const std::string_view comparison : kComparisons) {
    if (!text.starts_with(comparison)) continue;
    const std::string_view value = text.substr(comparison.size());
    const bool is_size = comparison == "size<=";
    if (is_size ? !parse_size(value) : !is_version(value)) {
      fail(text,
           is_size ? "needs a number of bytes, such as 20M" : "needs a version, such as 1.22");
    }
    return {std::string(text), std::string(comparison.substr(0, comparison.size() - 2)),
            std::string(value)};
  }
  constexpr std::string_view kNeeds = "no-needs:";
  if (text.starts_with(kNeeds)) {
    const std::string id(text.substr(kNeeds.size()));
    const auto kinds = need_kinds();
    if (std::none_of(kinds.begin(), kinds.end(),
                     [&](const NeedKind& kind) { return kind.id == "needs/" + id; })) {
      std::string known;
      for (const NeedKind& kind : kinds) known += " " + std::string(kind.id.substr(6));
      fail(text, "names no known need; there are:" + known);
    }
    return {std::string(text), "no-needs", id};
  }
  const bool known =
      std::find(std::begin(kPlainRules), std::end(kPlainRules), text) != std::end(kPlainRules) ||
      std::any_of(std::begin(kHardeningRules), std::end(kHardeningRules),
                  [&](const HardeningRule& rule) { return rule.name == text; });
  if (!known) fail(text, "is not known; `whittle help audit` lists them");
  return {std::string(text), std::string(text), ""};
}

std::optional<std::string> Policy::reason_against(const Rule& rule, const BinaryReport& report) {
  const auto when = [](bool against, std::string reason) {
    return against ? std::optional(std::move(reason)) : std::nullopt;
  };
  if (report.packing && report.packing->hidden && rule.name != "size") {
    return "is packed by " + report.packing->packer + ", which hides it";
  }
  if (rule.name == "static") {
    return when(!is_static(report.kind),
                fmt::format("is {}: {}", name(report.kind),
                            report.reasons.empty() ? std::string() : report.reasons.front().text));
  }
  if (report.machine.empty() || report.kind == Kind::relocatable || report.kind == Kind::core) {
    return fmt::format("is neither an executable nor a library: {}", name(report.kind));
  }
  if (rule.name == "static-pie") {
    return when(report.kind != Kind::static_pie, fmt::format("is {}", name(report.kind)));
  }
  for (const HardeningRule& one : kHardeningRules) {
    if (one.name == rule.name) return against_hardening(one, report.hardening);
  }
  const Hardening& hardening = report.hardening;
  if (rule.name == "no-rpath") {
    const auto& paths = hardening.rpath.empty() ? hardening.runpath : hardening.rpath;
    return when(!paths.empty(), paths.empty() ? "" : "looks for libraries in " + paths.front());
  }
  if (rule.name == "stripped") return when(!report.stripped, "has symbols");
  if (rule.name == "no-debug-info") return when(hardening.debug_info, "has debug information");
  if (rule.name == "no-missing") {
    const auto& libraries = report.linkage.libraries;
    if (report.kind != Kind::dynamic_executable || (libraries && libraries->missing.empty())) {
      return std::nullopt;
    }
    return libraries ? "misses " + libraries->missing.front() : "cannot be checked without --root";
  }
  if (rule.name == "no-needs") return against_needs(rule.value, report);
  if (rule.name == "go") return against_compiler("Go", rule.value, report.toolchain);
  if (rule.name == "rust") return against_compiler("Rust", rule.value, report.toolchain);
  if (rule.name == "glibc") return against_glibc(rule.value, report.linkage);
  if (rule.name == "size") {
    return when(report.size > parse_size(rule.value), fmt::format("has {} bytes", report.size));
  }
  throw Error(ErrorKind::internal, "", "a policy rule without a check: " + rule.name);
}

std::vector<Violation> Policy::check(const BinaryReport& report) const {
  std::vector<Violation> out;
  for (const Rule& rule : rules_) {
    if (rule.name == "entrypoint" || rule.name == kUsualEntrypoint) continue;  // of the image
    if (auto reason = reason_against(rule, report)) out.push_back({rule.text, std::move(*reason)});
  }
  return out;
}

void apply(const Policy& policy, std::vector<AuditedFile>& files) {
  for (AuditedFile& file : files) {
    if (file.report) file.violations = policy.check(*file.report);
  }
}

void apply(const Policy& policy, std::vector<ImageReport>& images) {
  for (ImageReport& image : images) {
    if (!image.is_absent) image.violations = policy.check(image);
  }
}

}  // namespace whittle::analyzer
