// SPDX-License-Identifier: MIT
//
// The dialect that CI systems share: a suite with counts, cases with `failure` or `error`. XML 1.0
// cannot hold most control characters even as references; `printable` has made text of those.
#include <fmt/format.h>

#include "common/text.h"
#include "report/audit_report.h"

namespace whittle::report {
namespace {

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string document(std::string_view counts, std::string_view cases) {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites {}>\n  <testsuite name=\"whittle audit\" {}>\n{}  </testsuite>\n</testsuites>\n",
      counts, counts, cases);
}

// A suite without a case would pass.
constexpr std::string_view kNoFiles =
    "    <testcase classname=\"whittle.audit\" name=\"executables\">\n"
    "      <skipped message=\"no executable was found\"/>\n    </testcase>\n";

// A case that passes or fails with what is violated.
std::string judged_case(const std::string& open,
                        const std::vector<analyzer::Violation>& violations) {
  if (violations.empty()) return open + "/>\n";
  std::string all;
  for (const analyzer::Violation& violation : violations) {
    all += fmt::format("{}: {}\n", escape(violation.rule), escape(violation.reason));
  }
  const analyzer::Violation& first = violations.front();
  return fmt::format(
      "{}>\n      <failure message=\"{}: {}\" type=\"{}\">{}</failure>\n    </testcase>\n", open,
      escape(first.rule), escape(first.reason), escape(first.rule), all);
}

}  // namespace

std::string audit_junit(const std::vector<analyzer::AuditedFile>& files, const Images& images) {
  if (files.empty() && images.empty()) {
    return document("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\"", kNoFiles);
  }
  std::size_t failures = 0, errors = 0;
  std::string cases;
  for (const analyzer::AuditedFile& file : files) {
    const std::string open =
        fmt::format("    <testcase classname=\"whittle.audit\" name=\"{}\"", escape(file.path));
    if (!file.report) {
      errors++;
      cases += fmt::format("{}>\n      <error message=\"{}\"/>\n    </testcase>\n", open,
                           escape(file.error));
    } else {
      failures += !file.violations.empty();
      cases += judged_case(open, file.violations);
    }
  }
  for (const analyzer::ImageReport& image : images) {
    failures += !image.violations.empty();
    cases += judged_case(fmt::format("    <testcase classname=\"whittle.audit.image\" name=\"{}\"",
                                     escape(image.path)),
                         image.violations);
  }
  const std::string counts = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\"",
                                         files.size() + images.size(), failures, errors);
  return document(counts, cases);
}

}  // namespace whittle::report
