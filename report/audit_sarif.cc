// SPDX-License-Identifier: MIT
//
// One run of one tool. Rules are listed once, in the order of their first result. Locations are
// relative to where whittle was started (%SRCROOT%), as code scanning wants them; where a finding
// has an offset, the region says so in bytes.
#include <fmt/format.h>

#include <map>

#include "common/text.h"
#include "report/audit_report.h"
#include "report/image_report.h"
#include "report/json.h"

namespace whittle::report {
namespace {

// A relative or absolute path as a URI reference (RFC 3986): everything but unreserved characters
// and slashes is percent-encoded, a colon too, which would look like a scheme.
std::string uri_of(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '/' || c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

class Run {
 public:
  void add_rule(const std::string& id, std::string_view title, std::string_view help) {
    if (!known_.emplace(id, rules_.size()).second) return;
    Json rule = {{"id", id}, {"shortDescription", {{"text", title}}}};
    if (!help.empty()) rule["help"] = {{"text", help}};
    rules_.push_back(std::move(rule));
  }

  void add_result(const std::string& id, std::string_view level, std::string_view text,
                  std::string_view path, const std::optional<analyzer::Evidence>& evidence = {}) {
    Json location = {{"artifactLocation", {{"uri", uri_of(path)}}}};
    if (!path.starts_with('/')) location["artifactLocation"]["uriBaseId"] = "%SRCROOT%";
    if (evidence && evidence->offset) {
      location["region"] = {{"byteOffset", *evidence->offset},
                            {"byteLength", evidence->name.size()}};
    }
    results_.push_back(
        {{"ruleId", id},
         {"ruleIndex", known_.at(id)},
         {"level", level},
         {"message", {{"text", text}}},
         {"locations", Json::array({Json{{"physicalLocation", std::move(location)}}})}});
  }

  // A run without a result would look like one that found all files in order.
  void add_no_files() {
    add_rule("audit/no-files", "No executable was found", "");
    results_.push_back({{"ruleId", "audit/no-files"},
                        {"ruleIndex", known_.at("audit/no-files")},
                        {"kind", "notApplicable"},
                        {"level", "none"},
                        {"message", {{"text", "No executable was found: nothing was audited."}}}});
  }

  std::string document(std::string_view version) && {
    Json driver = {{"name", "whittle"}, {"version", version}, {"rules", std::move(rules_)}};
    Json run = {{"tool", {{"driver", std::move(driver)}}},
                {"columnKind", "utf16CodeUnits"},
                {"results", std::move(results_)}};
    return dump({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                 {"version", "2.1.0"},
                 {"runs", Json::array({std::move(run)})}});
  }

 private:
  std::map<std::string, std::size_t> known_;
  Json rules_ = Json::array(), results_ = Json::array();
};

void add_image(const analyzer::ImageReport& image, Run& run) {
  for (const analyzer::Violation& violation : image.violations) {
    const std::string id = "policy/" + violation.rule;
    run.add_rule(id, "A requirement that is not met: " + violation.rule, "");
    run.add_result(id, "error", "In the image, " + printable(violation.reason), image.path);
  }
  if (image.violations.empty() && image.startup.runs.answer != analyzer::Answer::yes) {
    run.add_rule("image/entrypoint", "An image that may not start", "");
    run.add_result("image/entrypoint", "note", "The image " + startup_text(image), image.path);
  }
  for (const analyzer::Script& script : image.scripts) {
    if (script.present == analyzer::Answer::yes) continue;
    run.add_rule("image/script", "A script whose interpreter may be missing", "");
    run.add_result("image/script", script.present == analyzer::Answer::no ? "warning" : "note",
                   "The script " + printable(script.problem), image.path + ":" + script.path);
  }
  for (const std::string& text : image.not_looked_at) {
    run.add_rule("image/not-looked-at", "A part of an image that was not looked at", "");
    run.add_result("image/not-looked-at", image.is_absent ? "note" : "error", printable(text),
                   image.path);
  }
}

}  // namespace

std::string audit_sarif(const std::vector<analyzer::AuditedFile>& files, std::string_view version,
                        const Images& images) {
  Run run;
  if (files.empty() && images.empty()) run.add_no_files();
  for (const analyzer::AuditedFile& file : files) {
    if (!file.report) {
      run.add_rule("audit/error", "A file that could not be judged", "");
      run.add_result("audit/error", "error", printable(file.error), file.path);
      continue;
    }
    for (const analyzer::Violation& violation : file.violations) {
      const std::string id = "policy/" + violation.rule;
      run.add_rule(id, "A requirement that is not met: " + violation.rule, "");
      run.add_result(id, "error", "The file " + printable(violation.reason), file.path);
    }
    for (const analyzer::Need& need : file.report->needs) {
      run.add_rule(need.id, "May need " + need.title,
                   fmt::format("Without it, {}. To supply it: {}", need.breaks, need.supply));
      std::optional<analyzer::Evidence> first;
      if (!need.evidence.empty()) first = need.evidence.front();
      const bool is_met = !need.supplied_by.empty();
      run.add_result(
          need.id, need.confidence == "low" || is_met ? "note" : "warning",
          fmt::format("May need {} ({} confidence){}{}", need.title, need.confidence,
                      first ? fmt::format(": {} {}", first->kind, first->name) : "",
                      is_met ? "; supplied by " + printable(need.supplied_by.front()) : ""),
          file.path, first);
    }
  }
  for (const analyzer::ImageReport& image : images) add_image(image, run);
  return std::move(run).document(version);
}

}  // namespace whittle::report
