// SPDX-License-Identifier: MIT
//
// The analyzer's interface: what is this file (`inspect`), what is in this tree (`audit`), and the
// same program without the bytes that it does not need to run (`strip`).
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/report.h"
#include "common/bytes.h"
#include "common/error.h"

namespace whittle::analyzer {

struct InspectOptions {
  bool symbols = true;   // ask LIEF (in a limited child process) for sections and symbols
  bool digests = false;  // fill in BinaryReport::sha256
  // Look beyond the headers, for all that report.h lists below `has_contents`. Without it, `bytes`
  // may change meanwhile, as a mapped file does, and few of its pages are touched.
  bool contents = true;
};

// What `bytes` are. Any content gives a report: text is `not_elf`. Throws Error{malformed} where
// the file claims to be ELF and its headers cannot be right, with the offset.
BinaryReport inspect(ByteView bytes, std::string_view path, const InspectOptions& options = {});

// A requirement of a policy (see policy.h) that a file does not meet.
struct Violation {
  std::string rule;      // as it was written: "no-needs:shell"
  std::string reason;    // "may need a shell: symbol system"
  bool unknown = false;  // the file does not tell whether it meets it, which is not enough
};

// One file of an audit: a report, or the error that kept it from being made.
struct AuditedFile {
  std::string path;
  std::optional<BinaryReport> report;
  std::string error;        // set when `report` is not
  int error_exit_code = 0;  // of that error, see common/error.h
  std::vector<Violation> violations;
};

// The error in the place of a report.
AuditedFile failed_file(std::string path, const Error& error);

// A program that a packer made whose contents can be had. The analyzer knows no packer: its caller
// does.
struct PackedProgram {
  Packing packing;
  std::uint64_t memory = 0;  // bytes that unpacking takes, what comes out of it among them
  std::function<Bytes()> unpack = {};  // the program inside; may throw Error
};
// Nothing for a file that is not packed; throws Error{corrupt} for a packed one that is damaged.
using FindPackedProgram =
    std::function<std::optional<PackedProgram>(ByteView file, std::string_view path)>;

struct AuditOptions {
  std::filesystem::path root;  // where to look for shared libraries; empty: do not look
  bool digests = false;        // BinaryReport::sha256 of every file
  bool contents = true;        // as InspectOptions::contents; without it, files are not read whole
  // Where it is given, a packed program is audited for what is inside of it. Called by several
  // threads at once. At most 768 MiB are taken for unpacking at any time; a program that wants more
  // is reported as `Kind::packed`.
  FindPackedProgram find_packed = {};
  unsigned jobs = 0;  // files at once; 0: as many as there are processors
  // Called now and then by the thread that adds files: files done, and found so far.
  std::function<void(std::uint64_t, std::uint64_t)> progress;
};

// Audits files as they are added, several at once, and gives the results in the order of adding.
// Errors of single files are values: the audit goes on. LIEF is not asked: its answers are no part
// of a verdict.
class Auditor {
 public:
  // Throws Error{io} where `options.root` is not a folder that can be read.
  explicit Auditor(const AuditOptions& options);
  ~Auditor();
  Auditor(const Auditor&) = delete;
  Auditor& operator=(const Auditor&) = delete;

  // A folder is walked in sorted order without following symbolic links; files in it that are not
  // executables (no ELF magic, or relocatable objects, shared objects without execute permission,
  // debug information split from a program, scripts) are passed over quietly. A file named by the
  // caller is always reported.
  void add_path(const std::filesystem::path& path);

  // A file out of an image, treated as one found in a folder. `$ORIGIN` and the root mean nothing
  // to it. Blocks while many bytes wait to be audited.
  void add_content(std::string name, mode_t mode, Bytes content);

  void add_error(std::string name, const Error& error);

  std::vector<AuditedFile> finish();  // waits for all of them; call it once

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// All paths by one Auditor.
std::vector<AuditedFile> audit(const std::vector<std::filesystem::path>& paths,
                               const AuditOptions& options = {});

struct StripResult {
  Bytes bytes;                     // the stripped file, or a copy of the input
  std::uint64_t removed = 0;       // bytes saved; 0 when nothing could go
  std::vector<std::string> notes;  // what went, what was kept and why
};

// Removes everything after the last byte that a segment or the program header table uses, and the
// section-header fields of the ELF header. Bytes that the kernel maps are never moved or changed,
// except that a section header table inside a segment is zeroed. The result is never larger than
// the input. Throws Error{refused} for what has no segments (.o, core) and for
// shared objects and dynamic executables (their section headers serve other tools), and
// Error{malformed} as `inspect` does.
//
// A file with bytes after everything that the headers describe (an appended archive) is kept
// whole: programs find such bytes by their offset. So is one whose section headers are unreadable:
// it is then unknown what follows the segments.
StripResult strip(ByteView bytes, std::string_view path);

}  // namespace whittle::analyzer
