// SPDX-License-Identifier: MIT
//
// What one executable is, as plain data: the value that crosses from the analyzer to every room
// after it. Nothing in here refers to the file's bytes or to LIEF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace whittle::analyzer {

enum class Kind {
  static_executable,   // ET_EXEC that needs no loader
  static_pie,          // ET_DYN that needs no loader and relocates itself
  dynamic_executable,  // asks for an interpreter or for shared libraries
  other_system,        // one of these three, for a system other than Linux
  packed,              // by a packer that hides which of the first three is inside
  shared_object,       // ET_DYN library
  relocatable,         // .o
  core,
  script,  // begins with "#!"
  not_elf,
};

// "static", "static-pie", "dynamic", "other-system", "packed", "shared-object", "relocatable",
// "core", "script", "not-elf".
std::string_view name(Kind kind);
bool is_static(Kind kind);

// One reason for the verdict. `id` is stable and meant for machines ("dynamic/interpreter"), `text`
// is a sentence fragment for people ("asks for the interpreter /lib64/ld-linux-x86-64.so.2").
struct Reason {
  std::string id;
  std::string text;
};

struct SegmentInfo {
  std::string type;   // "LOAD", "TLS", "0x65a3dbe6"
  std::string flags;  // "R-X"
  std::uint64_t offset = 0, vaddr = 0, file_size = 0, memory_size = 0, alignment = 0;
};

struct SectionInfo {
  std::string name;
  std::string type;  // "PROGBITS"; the number, "0x1", where LIEF was not asked or gave up
  std::uint64_t address = 0, offset = 0, size = 0;
};

struct Module {  // a Go module, or a Rust crate
  std::string path = {}, version = {}, sum = {};
  std::string replaced_by = {};     // "path@version" or empty
  std::string source = {};          // of a crate: "crates.io", "git", "local"; empty if unknown
  std::string found_in = {};        // "build information", ".dep-v0", "path of a source file"
  std::string confidence = "high";  // "medium" for what is not listed, but named by something
  bool only_for_build = false;      // a crate that ran when the program was built
};

struct Setting {  // of a Go build: "CGO_ENABLED", "vcs.revision", "-ldflags"
  std::string key, value;
};

struct Toolchain {
  std::string language;      // "Go", "Rust", "C/C++", or empty where unknown
  std::string compiler;      // "go1.19.8", "rustc version 1.63.0", "GCC: (Debian 12.2.0-14) 12.2.0"
  std::string libc;          // "glibc", "musl", or empty where unknown or none
  std::string main_package;  // Go: import path of package main's folder
  std::vector<Module> modules;          // main module or crate first, where it is known
  std::vector<Setting> settings;        // Go: what `go version -m` shows as "build"
  std::vector<std::string> notes = {};  // compilers' and linkers' signatures, each once
};

// Where a finding was seen.
struct Evidence {
  std::string kind;  // "function" of Go's table, "symbol", "import", "text"
  std::string name;
  std::optional<std::uint64_t> offset;  // in the file; none for what only a library has
};

// A way to supply what a program needs: the image must have all of the paths.
struct Supply {
  enum class What : std::uint8_t {
    file,             // that the user may read, and that is not empty
    folder,           // with something in it
    program,          // that can be started
    writable_folder,  // by the user
    name_services,    // a file as nsswitch.conf that names `files`
    engine,           // container engines put it into every container
  };
  What what = What::file;
  std::vector<std::string> paths;  // in the image
  std::string variable;  // environment variable whose value replaces the path, if it is set
};

// Something that the program may ask of the system around it and that an empty root filesystem does
// not have. It shows code that is linked in; whether it is reached, only running tells.
struct Need {
  std::string id;          // "needs/ca-certificates"
  std::string confidence;  // "high", "medium", "low"
  std::string title;       // "CA certificates"
  std::string breaks;      // what happens without
  std::string supply;      // how an image gets it
  std::vector<Evidence> evidence;
  std::vector<Supply> ways = {};              // any one supplies it; empty: no file can prove that
  std::vector<std::string> supplied_by = {};  // for a program in an image: the paths that supply it
};

// The newest of a library's symbol versions that a program asks for.
struct VersionNeed {
  std::string library;               // "libc.so.6"
  std::string version;               // "GLIBC_2.34"
  std::vector<std::string> symbols;  // that ask for it, at most eight
};

// A shared library where the loader would find it.
struct Library {
  std::string name;       // as it is asked for
  std::string path;       // inside the root; empty where it is missing
  std::string found_by;   // "RPATH", "RUNPATH", "system", "path", "interpreter"; empty if missing
  bool repeated = false;  // stands elsewhere in the tree; `needed` is then left out
  std::vector<Library> needed;
};

struct LibraryTree {
  std::string interpreter;  // where PT_INTERP leads inside the root; empty where it is missing
  std::vector<Library> libraries;
  std::vector<std::string> missing;           // names, the interpreter's among them, each once
  std::vector<std::string> passed_over = {};  // files that who runs the program may not read
};

// What a dynamic executable takes from outside, and how it could do without.
struct Linkage {
  std::vector<VersionNeed> versions;        // one a library and kind of version
  std::vector<std::string> other_versions;  // of glibc, without a number: "GLIBC_PRIVATE"
  std::vector<std::string> may_load;        // names of libraries that only dlopen can want
  std::vector<std::string> causes;          // what made it dynamic, as far as it is known
  std::vector<std::string> remedies;        // how to build it as a static one
  std::optional<LibraryTree> libraries;     // where a root was given to look in
};

// `not_applicable` where the question does not arise (a canary in a Go program), `unknown` where
// the file does not tell (a canary in a stripped static one).
enum class HardeningState { not_applicable, unknown, no, partial, yes };
std::string_view name(HardeningState state);  // "not-applicable", "unknown", "no", "partial", "yes"

// As checksec reports them; see hardening.cc for what each means.
struct Hardening {
  using enum HardeningState;
  HardeningState nx = not_applicable;  // the stack is not executable
  HardeningState relro = not_applicable;
  HardeningState pie = not_applicable;
  HardeningState canary = not_applicable;
  HardeningState fortify = not_applicable;
  HardeningState no_writable_code = not_applicable;  // no segment is writable and executable
  HardeningState ibt = not_applicable, shadow_stack = not_applicable;  // x86's CET
  HardeningState bti = not_applicable, pac = not_applicable;           // aarch64
  bool debug_info = false;
  std::vector<std::string> rpath, runpath;  // folders that the loader searches first
};

// What made a program smaller that unpacks itself when it starts.
struct Packing {
  std::string packer;               // "whittle", "UPX"
  std::string version = {};         // of the packer; empty where it does not tell
  std::string level = {};           // "fast", "small"; empty of other packers
  std::uint64_t original_size = 0;  // bytes of the program inside; 0 where it is hidden
  std::string original_sha256 = {};
  bool hidden = true;  // the report is that of the packer's own code, not of the program inside
};

struct BinaryReport {
  std::string path;
  std::uint64_t size = 0;  // bytes
  std::string sha256;      // hexadecimal, where it was asked for
  Kind kind = Kind::not_elf;
  std::vector<Reason> reasons;  // why `kind` is what it is, every one of them; never empty

  // Empty or zero from here on where the file is not ELF.
  std::string machine;        // "x86-64", "aarch64", "riscv64", …
  int bits = 0;               // 32 or 64
  std::string byte_order;     // "little" or "big"
  std::string system;         // "Linux", "FreeBSD", …; see common/system.h
  std::string system_reason;  // "EI_OSABI is 9", or that nothing in the file names a system
  std::uint64_t entry = 0;
  std::string interpreter;
  std::vector<std::string> needed;  // DT_NEEDED, in order
  std::string build_id;             // hexadecimal
  std::string go_build_id;
  bool sections_readable = true;  // false where section headers are damaged: what they would say
                                  // (`stripped` among it) is not known
  bool stripped = true;           // no .symtab
  std::vector<SegmentInfo> segments;
  std::vector<SectionInfo> sections;
  std::uint64_t symbols = 0;          // entries of .symtab and .dynsym; 0 without LIEF
  std::vector<std::string> warnings;  // odd fields, readers that disagree, a reader that gave up

  bool has_contents = true;   // false where nobody looked for what follows
  std::uint64_t overlay = 0;  // bytes after everything that the headers describe
  Toolchain toolchain;
  std::vector<Need> needs;  // by id; for executables for Linux only
  Linkage linkage;          // for dynamic executables for Linux; of libraries the versions alone
  Hardening hardening;      // for executables for Linux and for shared libraries only
  // Where it is set and nothing is hidden, everything but path, size and digest is that of the
  // program inside.
  std::optional<Packing> packing = {};
};

}  // namespace whittle::analyzer
