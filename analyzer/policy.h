// SPDX-License-Identifier: MIT
//
// What a file is required to be, in words: "static,nx,relro,no-needs:shell,go>=1.22".
//
// There are three answers: a rule is met, it is violated, or the file does not tell. What a file
// does not tell does not meet a rule: it is a violation, too, which says so. What is no executable
// or library meets none; a program for another system than Linux, and one that a packer hides, meet
// none but `size`.
//
//   static, static-pie      the verdict; `static` takes both
//   nx, relro, pie, canary, fortify, ibt, shadow-stack, bti, pac, no-writable-code
//                           hardening, `relro` in full; what does not apply to a program (a canary
//                           in Go) is met
//   no-rpath, stripped, no-debug-info, no-missing (libraries, in the root that was given)
//   no-needs, no-needs:ID   no need of medium or high confidence
//   go>=1.22, rust>=1.70    the compiler's version, of programs in that language; a release
//                           candidate or nightly build is older than its release
//   glibc<=2.31             the newest glibc that is asked for: by no static program
//   size<=20M               bytes, K, M, G
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/analyzer.h"

namespace whittle::analyzer {

struct Answer;

class Policy {
 public:
  // Throws Error{usage} naming what is not understood. `text` holds rules and commas.
  void require(std::string_view text);

  bool empty() const { return rules_.empty(); }

  // In the order of the rules.
  std::vector<Violation> check(const BinaryReport& report) const;

 private:
  struct Rule {
    std::string text;   // as it was written
    std::string name;   // "no-needs", "go"
    std::string value;  // "shell", "1.22"
  };
  static Rule parse(std::string_view text);
  static Answer ask(const Rule& rule, const BinaryReport& report);

  std::vector<Rule> rules_;
};

// Sets the violations of every file that has a report.
void apply(const Policy& policy, std::vector<AuditedFile>& files);

}  // namespace whittle::analyzer
