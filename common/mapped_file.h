// SPDX-License-Identifier: MIT
//
// A file's bytes without reading it: only the pages that are looked at are brought in, so a look at
// the headers of a file costs the same whatever its size.
//
// What is mapped stays the file's. It may change between two looks, so this is for readers that
// copy a field, check the copy and use the copy, as elf::File does. What keeps views of the bytes
// and counts on their order (a sorted table of names) needs `read_file`. The file may also become
// shorter, and the kernel sends SIGBUS for a page that is gone; here, zeros take its place and the
// call ends in an error.
#pragma once

#include <filesystem>
#include <functional>

#include "common/bytes.h"
#include "common/file.h"

namespace whittle {

// Calls `reader` with the file's bytes, which are there until it returns. Throws as `open_file`
// does, what `reader` throws, and Error{io} where the file became shorter meanwhile. Thread-safe;
// not to be called again by `reader`.
void with_mapped_file(const std::filesystem::path& path,
                      const std::function<void(ByteView, const FileStatus&)>& reader,
                      std::uint64_t limit = kMaxFileBytes);

}  // namespace whittle
