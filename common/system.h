// SPDX-License-Identifier: MIT
//
// Which operating system is a program made for? An ELF file has a machine, and only sometimes a
// system: FreeBSD's linkers mark every file (EI_OSABI), NetBSD's and OpenBSD's put a note beside
// the code, others only name a loader of their own, and Go writes its GOOS into the build
// information. The system calls of two systems differ, so a program of another one fails on Linux,
// at best at its first instruction. Linux itself looks at none of these marks.
//
// A static program for Linux may have no mark at all (musl, klibc, assembly). Firmware may look the
// same. So a file without a mark is taken for one of Linux, and `is_known` says that it was.
//
// Sources: System V gABI, chapter 4 "ELF Identification"; the notes of FreeBSD (elf_common.h),
// NetBSD (exec_elf.h), OpenBSD (exec_elf.h), DragonFly BSD (elf_common.h), Android (crtbrand.S),
// and the GNU ABI tag (glibc's abi-tag.h, binutils' elf/common.h).
#pragma once

#include <string>
#include <string_view>

#include "common/elf.h"

namespace whittle::elf {

struct System {
  std::string name;  // "Linux", "FreeBSD", "bare metal"; safe to print
  // False where the program cannot run on Linux. True of Android, whose kernel is Linux.
  bool runs_on_linux = true;
  bool is_known = false;  // something in the file names the system
  // What does: "os-abi", "note", "interpreter", "go" or "addresses", for machines, and
  // "EI_OSABI is 9" for people. Without a mark "none" and "nothing in the file names a system".
  std::string_view sign;
  std::string reason;
};

enum class LookFor {
  marks,        // headers, notes and named sections: as much work for a file of any size
  marks_inside  // and Go's build information in a file without section headers
};

// The first mark of a system other than Linux counts, whatever the others say; then the first of
// Linux. Never throws on any content.
System system_of(const File& file, LookFor look = LookFor::marks_inside);

}  // namespace whittle::elf
