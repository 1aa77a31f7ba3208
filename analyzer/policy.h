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
//   no-rpath, stripped, no-debug-info, no-missing (libraries, in the root that was given; in an
//                           image, libraries and interpreters of scripts)
//   no-needs, no-needs:ID   no need of medium or high confidence, except what the program's own
//                           image supplies
//   entrypoint              of an image: it has the program that it names, and that can start
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
#include "analyzer/image_report.h"

namespace whittle::analyzer {

struct Ruling;

class Policy {
 public:
  // Throws Error{usage} naming what is not understood. `text` holds rules and commas.
  void require(std::string_view text);

  // The default rules: `static`, and for an image that names a program that this program can
  // start.
  void require_the_usual();

  bool empty() const { return rules_.empty(); }

  // Whether some rule applies only to images.
  bool is_about_images() const;

  // In the order of the rules.
  std::vector<Violation> check(const BinaryReport& report) const;

  // Of an image as a whole.
  std::vector<Violation> check(const ImageReport& image) const;

 private:
  struct Rule {
    std::string text;   // as it was written
    std::string name;   // "no-needs", "go"
    std::string value;  // "shell", "1.22"
  };
  static Rule parse(std::string_view text);
  static Ruling ask(const Rule& rule, const BinaryReport& report);

  std::vector<Rule> rules_;
};

// Sets the violations of every file that has a report.
void apply(const Policy& policy, std::vector<AuditedFile>& files);
// The same for images; absent ones get none.
void apply(const Policy& policy, std::vector<ImageReport>& images);

}  // namespace whittle::analyzer
