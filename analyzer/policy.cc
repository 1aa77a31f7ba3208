// SPDX-License-Identifier: MIT
#include "analyzer/policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "analyzer/compiler_version.h"
#include "analyzer/hardening_facts.h"
#include "analyzer/need_rules.h"
#include "common/error.h"
#include "common/text.h"

namespace whittle::analyzer {

// What a rule says of a file.
struct Ruling {
  enum Kind { met, violated, unknown };
  Kind kind = met;
  std::string reason = {};  // where it is not met: "may need a shell: symbol system"

  bool is_met() const { return kind == met; }
};

namespace {

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

// "1.22": numbers with single dots between them.
bool is_version(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos &&
         text.front() != '.' && text.back() != '.' && text.find("..") == std::string_view::npos;
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

Ruling met() { return {}; }
Ruling against(std::string reason) { return {Ruling::violated, std::move(reason)}; }
Ruling unknown(std::string reason) { return {Ruling::unknown, std::move(reason)}; }
Ruling against_if(bool condition, std::string reason) {
  return condition ? against(std::move(reason)) : met();
}

Ruling ask_hardening(const HardeningFact& fact, const Hardening& hardening) {
  switch (hardening.*fact.state) {
    case HardeningState::yes:
    case HardeningState::not_applicable:
      return met();
    case HardeningState::unknown:
      return unknown(fmt::format("does not show whether it has {}", fact.words));
    case HardeningState::partial:
      return against(fmt::format("has {} only in part", fact.words));
    case HardeningState::no:
      break;
  }
  return against(fmt::format("lacks {}", fact.words));
}

Ruling ask_needs(std::string_view id, const BinaryReport& report) {
  if (report.kind == Kind::shared_object) {
    return unknown("is a shared library, of which it is unknown what it needs");
  }
  for (const Need& need : report.needs) {
    if (need.confidence == "low" || (!id.empty() && need.id != "needs/" + std::string(id)))
      continue;
    if (!need.supplied_by.empty()) continue;
    return against(fmt::format("may need {}: {} {}", need.title, need.evidence.at(0).kind,
                               printable(need.evidence.at(0).name)));
  }
  return met();
}

Ruling ask_compiler(std::string_view language, std::string_view signature,
                    const std::optional<CompilerVersion>& version, std::string_view least) {
  if (!version) {
    return unknown(fmt::format("was built by an unknown version of {}{}", language,
                               signature.empty() ? "" : " (" + printable(signature) + ")"));
  }
  return against_if(!is_at_least(*version, least), "was built by " + printable(signature));
}

Ruling no_language(std::string_view wanted) {
  return unknown(
      fmt::format("does not show in which language it is written, so {} is not ruled out", wanted));
}

Ruling ask_go(std::string_view least, const Toolchain& toolchain) {
  if (toolchain.language.empty()) return no_language("Go");
  if (toolchain.language != "Go") return met();
  return ask_compiler("Go", toolchain.compiler, go_version(toolchain.compiler), least);
}

// Every compiler that signed counts: a library may be older than the program that it is linked
// into, whatever language that is in.
Ruling ask_rust(std::string_view least, const Toolchain& toolchain) {
  std::vector<std::string_view> signatures;
  for (const std::string& note : toolchain.notes) {
    if (note.starts_with("rustc ")) signatures.push_back(note);
  }
  if (toolchain.language == "Rust" && signatures.empty()) signatures.push_back(toolchain.compiler);
  if (signatures.empty() && toolchain.language.empty()) return no_language("Rust");
  for (const std::string_view signature : signatures) {
    Ruling answer = ask_compiler("Rust", signature, rust_version(signature), least);
    if (!answer.is_met()) return answer;
  }
  return met();
}

// What a version without a number asks for: "2.36" of GLIBC_ABI_DT_RELR, a mark that glibc gave
// itself then; nothing of GLIBC_PRIVATE, which is of the one glibc that it was built with.
std::string_view known_glibc(std::string_view version) {
  return version == "GLIBC_ABI_DT_RELR" ? "2.36" : "";
}

Ruling ask_glibc(std::string_view most, const BinaryReport& report) {
  constexpr std::string_view kPrefix = "GLIBC_";
  bool asks = false;
  for (const VersionNeed& need : report.linkage.versions) {
    if (!need.version.starts_with(kPrefix)) continue;
    asks = true;
    if (compare_versions(need.version.substr(kPrefix.size()), most) <= 0) continue;
    return against(fmt::format("asks for {}{}", need.version,
                               need.symbols.empty() ? "" : ": " + need.symbols.front()));
  }
  for (const std::string& version : report.linkage.other_versions) {
    const std::string_view number = known_glibc(version);
    if (number.empty()) return unknown("asks for an unknown glibc: " + version);
    if (compare_versions(number, most) > 0) {
      return against(fmt::format("asks for {}, of glibc {}", version, number));
    }
  }
  const auto& needed = report.needed;
  if (!asks && std::find(needed.begin(), needed.end(), "libc.so.6") != needed.end()) {
    return unknown("needs libc.so.6 without saying of which version");
  }
  return met();
}

Ruling ask_libraries(const BinaryReport& report) {
  if (is_static(report.kind)) return met();
  if (report.kind == Kind::shared_object) {
    if (report.needed.empty()) return met();
    return unknown("is a shared library, for which libraries are not looked for");
  }
  if (!report.linkage.libraries) {
    return unknown("needs libraries, which are looked for only in a folder given with --root");
  }
  const auto& missing = report.linkage.libraries->missing;
  return against_if(!missing.empty(), missing.empty() ? "" : "misses " + missing.front());
}

Ruling ask_sections(bool lacks, const BinaryReport& report, std::string_view has) {
  if (!lacks) return against(std::string(has));
  if (report.sections_readable) return met();
  return unknown("has damaged section headers, so it is unknown what they would show");
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
      std::any_of(std::begin(kHardeningFacts), std::end(kHardeningFacts),
                  [&](const HardeningFact& fact) { return fact.id == text; });
  if (!known) fail(text, "is not known; `whittle help audit` lists them");
  return {std::string(text), std::string(text), ""};
}

Ruling Policy::ask(const Rule& rule, const BinaryReport& report) {
  if (report.packing && report.packing->hidden && rule.name != "size") {
    return unknown("is packed by " + report.packing->packer + ", which hides it");
  }
  if (rule.name == "static") {
    const std::string why =
        report.reasons.empty() ? std::string() : printable(report.reasons.front().text);
    if (report.kind == Kind::other_system) return against(why);
    return against_if(!is_static(report.kind), fmt::format("is {}: {}", name(report.kind), why));
  }
  if (report.machine.empty() || report.kind == Kind::relocatable || report.kind == Kind::core) {
    return against(fmt::format("is neither an executable nor a library: {}", name(report.kind)));
  }
  if (rule.name == "size") {
    return against_if(report.size > parse_size(rule.value),
                      fmt::format("has {} bytes", report.size));
  }
  if (report.kind == Kind::other_system) {
    return against(fmt::format("is made for {}, not for Linux", report.system));
  }
  if (rule.name == "static-pie") {
    return against_if(report.kind != Kind::static_pie, fmt::format("is {}", name(report.kind)));
  }
  if (rule.name == "stripped") return ask_sections(report.stripped, report, "has symbols");
  if (!report.has_contents) return unknown("was not looked at beyond its headers");
  for (const HardeningFact& fact : kHardeningFacts) {
    if (fact.id == rule.name) return ask_hardening(fact, report.hardening);
  }
  const Hardening& hardening = report.hardening;
  if (rule.name == "no-rpath") {
    const auto& paths = hardening.rpath.empty() ? hardening.runpath : hardening.rpath;
    return against_if(!paths.empty(),
                      paths.empty() ? "" : "looks for libraries in " + paths.front());
  }
  if (rule.name == "no-debug-info") {
    return ask_sections(!hardening.debug_info, report, "has debug information");
  }
  if (rule.name == "no-missing") return ask_libraries(report);
  if (rule.name == "no-needs") return ask_needs(rule.value, report);
  if (rule.name == "go") return ask_go(rule.value, report.toolchain);
  if (rule.name == "rust") return ask_rust(rule.value, report.toolchain);
  if (rule.name == "glibc") return ask_glibc(rule.value, report);
  throw Error(ErrorKind::internal, "", "a policy rule without a check: " + rule.name);
}

std::vector<Violation> Policy::check(const BinaryReport& report) const {
  std::vector<Violation> out;
  for (const Rule& rule : rules_) {
    if (rule.name == "entrypoint" || rule.name == kUsualEntrypoint) continue;  // of the image
    Ruling answer = ask(rule, report);
    if (answer.is_met()) continue;
    out.push_back({rule.text, std::move(answer.reason), answer.kind == Ruling::unknown});
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
