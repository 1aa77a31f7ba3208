// SPDX-License-Identifier: MIT
//
// What the tests of images share: a spec to start from, and a reader of tars that has nothing in
// common with the writer but libarchive.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/error.h"
#include "imagegen/image.h"
#include "tests/unit/common/scratch.h"

namespace whittle::imagegen {

inline Bytes to_bytes(std::string_view text) { return Bytes(text.begin(), text.end()); }

// Expects `statement` to throw an Error of a kind whose text matches.
#define EXPECT_ERROR(statement, expected_kind, matcher)            \
  try {                                                            \
    statement;                                                     \
    ADD_FAILURE() << "nothing was thrown";                         \
  } catch (const Error& error) {                                   \
    EXPECT_EQ(name(error.kind()), name(ErrorKind::expected_kind)); \
    EXPECT_THAT(error.what(), matcher);                            \
  }

inline ImageSpec small_spec() {
  ImageSpec spec;
  spec.architecture = "amd64";
  spec.files = {{"/app", to_bytes("not really a program\n"), 0755}};
  spec.entrypoint = {"/app"};
  spec.tag = "hello:1.0";
  return spec;
}

struct TarEntry {
  std::string path;
  bool is_folder = false;
  unsigned mode = 0;
  std::int64_t uid = -1, gid = -1, mtime = -1;
  std::string user, group, content, target;
};

// Every entry of a tar, compressed or not, in order.
inline std::vector<TarEntry> read_tar(ByteView bytes) {
  std::vector<TarEntry> entries;
  archive* reader = ::archive_read_new();
  ::archive_read_support_filter_all(reader);
  ::archive_read_support_format_tar(reader);
  EXPECT_EQ(::archive_read_open_memory(reader, bytes.data(), bytes.size()), ARCHIVE_OK);
  const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const locale_t before = ::uselocale(utf8);
  archive_entry* entry = nullptr;
  int result = ARCHIVE_OK;
  while ((result = ::archive_read_next_header(reader, &entry)) == ARCHIVE_OK) {
    TarEntry out;
    out.path = ::archive_entry_pathname(entry);
    out.is_folder = ::archive_entry_filetype(entry) == AE_IFDIR;
    out.mode = ::archive_entry_perm(entry);
    out.uid = ::archive_entry_uid(entry);
    out.gid = ::archive_entry_gid(entry);
    out.mtime = ::archive_entry_mtime(entry);
    if (const char* target = ::archive_entry_symlink(entry)) out.target = target;
    if (const char* user = ::archive_entry_uname(entry)) out.user = user;
    if (const char* group = ::archive_entry_gname(entry)) out.group = group;
    out.content.resize(static_cast<std::size_t>(::archive_entry_size(entry)));
    EXPECT_EQ(::archive_read_data(reader, out.content.data(), out.content.size()),
              static_cast<la_ssize_t>(out.content.size()));
    entries.push_back(std::move(out));
  }
  EXPECT_EQ(result, ARCHIVE_EOF) << ::archive_error_string(reader);
  ::archive_read_free(reader);
  ::uselocale(before);
  ::freelocale(utf8);
  return entries;
}

inline std::vector<std::string> paths_of(const std::vector<TarEntry>& entries) {
  std::vector<std::string> paths;
  for (const TarEntry& entry : entries) paths.push_back(entry.path);
  return paths;
}

// A folder of its own for a test, removed with all that is in it.
class FolderTest : public ::testing::Test {
 protected:
  // Names in the test's folder, hidden ones too.
  std::vector<std::string> listing() const { return scratch_.names(); }

 private:
  test::Scratch scratch_;

 protected:
  const std::filesystem::path& folder_ = scratch_.path();
};

}  // namespace whittle::imagegen
