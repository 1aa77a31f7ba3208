// SPDX-License-Identifier: MIT
//
// An archive is a tar of documents and of layers that are tars, in any order. It is not unpacked.
// One pass over it, to its very end, lists the entries and keeps the documents. In an archive that
// is not compressed the list has the position of each entry, and a layer is read from there. In a
// compressed one all layers are read in a second pass, which keeps the work linear.
#include "imagegen/image_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "common/error.h"
#include "common/file.h"
#include "common/file_descriptor.h"
#include "common/folder_lock.h"
#include "common/text.h"
#include "imagegen/archive_reader.h"
#include "imagegen/decompressor.h"

namespace whittle::imagegen {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxDocument = 4 << 20;                    // bytes
constexpr std::uint64_t kMaxDocuments = std::uint64_t{256} << 20;  // of one archive, together
constexpr std::size_t kMaxEntries = 1'000'000;                     // of an archive
constexpr int kMaxLinks = 8;

// Names in archives and documents are hostile. "./a/b", "/a/b" and "a/x/../b" → "a/b": to programs
// that unpack an archive they are the same file. Empty if the name leads out of the store.
std::string inner_name(std::string_view name) {
  while (name.starts_with('/')) name.remove_prefix(1);
  const fs::path normal = fs::path(name).lexically_normal();
  const bool leads_out = normal.empty() || *normal.begin() == "..";
  return leads_out ? std::string() : normal.native();
}

bool may_begin_json(ByteView start) {
  constexpr std::string_view kBegins = "{[ \t\r\n";
  return !start.empty() && kBegins.find(static_cast<char>(start.front())) != std::string_view::npos;
}

// Keeps writers from removing blobs while a layout is read. Where a folder cannot be locked (some
// network file systems), it is read without.
std::unique_ptr<FolderLock> lock_for_reading(const fs::path& path) {
  try {
    return std::make_unique<FolderLock>(path, FolderLock::Kind::shared);
  } catch (const Error&) {
    return nullptr;
  }
}

class FolderStore : public ImageStore {
 public:
  explicit FolderStore(fs::path folder)
      : folder_(std::move(folder)), lock_(lock_for_reading(folder_)) {}

  std::optional<Bytes> read(const std::string& name) override {
    if (!contains(name)) return std::nullopt;
    return read_file(folder_ / inner_name(name), kMaxDocument).bytes;
  }
  bool contains(const std::string& name) override {
    std::error_code error;
    const std::string inner = inner_name(name);
    return !inner.empty() && fs::is_regular_file(folder_ / inner, error);
  }
  void visit(const std::set<std::string>& names, const Visit& visit) override {
    for (const std::string& name : names) {
      if (!contains(name)) continue;
      FileSource file(folder_ / inner_name(name));
      visit(
          name, [&](std::span<std::uint8_t> buffer) { return file.read(buffer); }, file.size());
    }
  }
  bool is_sequential() const override { return false; }

 private:
  fs::path folder_;
  std::unique_ptr<FolderLock> lock_;
};

// The archive's tar, from its beginning or, if it is not compressed, from an entry.
class ArchivePass {
 public:
  ArchivePass(const fs::path& path, bool is_compressed, std::uint64_t position = 0)
      : file_(path),
        limit_(UnpackingLimit().of(file_.size())),
        decompressor_(is_compressed ? std::make_unique<Decompressor>(
                                          [this](auto buffer) { return file_.read(buffer); },
                                          path.native(), limit_)
                                    : nullptr),
        reader_([this](auto buffer) { return read(buffer); }, path.native(), skip(position)) {}
  ArchiveReader& reader() { return reader_; }
  std::uint64_t limit() const { return limit_; }  // in bytes of the tar, if it is compressed

 private:
  std::size_t read(std::span<std::uint8_t> buffer) {
    return decompressor_ ? decompressor_->read(buffer) : file_.read(buffer);
  }
  ByteSkip skip(std::uint64_t position) {
    if (decompressor_) return {};
    file_.skip(position);
    return [this](std::uint64_t bytes) { return file_.skip(bytes); };
  }

  FileSource file_;
  std::uint64_t limit_;
  std::unique_ptr<Decompressor> decompressor_;
  ArchiveReader reader_;
};

class ArchiveStore : public ImageStore {
 public:
  ArchiveStore(fs::path path, bool is_compressed)
      : path_(std::move(path)), is_compressed_(is_compressed) {
    ArchivePass pass(path_, is_compressed_);
    std::uint64_t documents = 0;
    while (const auto entry = pass.reader().next()) {
      if (is_compressed_ && !entry->is_sparse &&
          entry->size > pass.limit() - std::min(pass.limit(), entry->position)) {
        refuse(
            fmt::format("has an entry of {} bytes, which is more than is unpacked of a file of "
                        "its size",
                        entry->size));
      }
      if (entry->type == ArchiveEntry::Type::folder) continue;
      const auto [at, is_new] = members_.try_emplace(inner_name(entry->path));
      Member& member = at->second;
      member.position = entry->position;
      member.is_double = !is_new;
      member.type = entry->type;
      member.target = entry->target;
      member.size = entry->size;
      member.is_sparse = entry->is_sparse;
      if (members_.size() > kMaxEntries) refuse(fmt::format("has more than {} files", kMaxEntries));
      if (entry->type != ArchiveEntry::Type::file || entry->size > kMaxDocument) continue;
      Bytes start;
      pass.reader().read_up_to(1, start);
      if (!may_begin_json(start)) continue;
      pass.reader().read_up_to(kMaxDocument, start);
      documents += start.size();
      if (documents > kMaxDocuments) {
        refuse(fmt::format("has more than {} bytes of JSON", kMaxDocuments));
      }
      member.document = std::move(start);
    }
  }

  std::optional<Bytes> read(const std::string& name) override {
    const Member* member = find(name);
    if (member == nullptr) return std::nullopt;
    if (member->size > kMaxDocument) {
      throw Error(ErrorKind::refused, path_.native(),
                  fmt::format("{} has {} bytes, more than the {} that whittle takes of a document",
                              printable(name), member->size, kMaxDocument));
    }
    return member->document;
  }

  bool contains(const std::string& name) override { return find(name) != nullptr; }

  void visit(const std::set<std::string>& names, const Visit& visit) override {
    // For each entry the names that lead to it.
    std::map<std::string, std::set<std::string>> wanted;
    for (const std::string& name : names) {
      if (const auto entry = resolve(name)) wanted[*entry].insert(name);
    }
    if (!is_compressed_) {
      for (const auto& [entry, asked_for] : wanted) {
        for (const std::string& name : asked_for) {
          ArchivePass pass(path_, false, members_.at(entry).position);
          const auto found = pass.reader().next();
          if (!found || inner_name(found->path) != entry) fail_changed();
          visit_entry(name, *found, pass, visit);
        }
      }
      return;
    }
    while (!wanted.empty()) {  // a second pass only for entries with several names
      ArchivePass pass(path_, true);
      bool found = false;
      while (!wanted.empty()) {
        const auto entry = pass.reader().next();
        if (!entry) break;
        const auto at = wanted.find(inner_name(entry->path));
        if (at == wanted.end()) continue;
        found = true;
        visit_entry(*at->second.begin(), *entry, pass, visit);
        at->second.erase(at->second.begin());
        if (at->second.empty()) wanted.erase(at);
      }
      if (!found) fail_changed();
    }
  }

  bool is_sequential() const override { return is_compressed_; }

 private:
  struct Member {
    ArchiveEntry::Type type = ArchiveEntry::Type::other;
    std::string target;
    std::uint64_t size = 0;
    std::uint64_t position = 0;  // of its header in the tar
    bool is_double = false;      // several entries have this name
    bool is_sparse = false;
    Bytes document;  // of what may be one: JSON
  };

  static void visit_entry(const std::string& name, const ArchiveEntry& entry, ArchivePass& pass,
                          const Visit& visit) {
    visit(
        name, [&](std::span<std::uint8_t> buffer) { return pass.reader().read(buffer); },
        entry.size);
  }

  [[noreturn]] void fail_changed() const {
    throw Error(ErrorKind::io, path_.native(), "changed while it was being read");
  }
  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(ErrorKind::refused, path_.native(), why);
  }

  // The entry that a name leads to: older archives link equal layers to one another.
  std::optional<std::string> resolve(const std::string& wanted) const {
    std::string name = inner_name(wanted);
    for (int links = 0; links <= kMaxLinks; links++) {
      const auto at = members_.find(name);
      if (at == members_.end()) return std::nullopt;
      const Member& member = at->second;
      if (member.is_double) {
        throw Error(ErrorKind::corrupt, path_.native(),
                    fmt::format("has several files of the name {}, of which every reader may take "
                                "another",
                                printable(name)));
      }
      if (member.is_sparse) refuse(printable(name) + " is stored as a sparse file");
      switch (member.type) {
        case ArchiveEntry::Type::file:
          return name;
        case ArchiveEntry::Type::symlink:
          name = inner_name((fs::path(name).parent_path() / member.target).native());
          break;
        case ArchiveEntry::Type::hard_link:
          name = inner_name(member.target);
          break;
        default:
          return std::nullopt;
      }
    }
    return std::nullopt;
  }

  const Member* find(const std::string& name) const {
    const auto found = resolve(name);
    return found ? &members_.at(*found) : nullptr;
  }

  fs::path path_;
  bool is_compressed_;
  std::map<std::string, Member> members_;  // by name
};

// The first bytes of a regular file; none of anything else.
Bytes start_of(const fs::path& path) {
  constexpr std::size_t kEnoughForTar = 265;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return {};
  Bytes start(kEnoughForTar);
  const ssize_t n = ::pread(file.get(), start.data(), start.size(), 0);
  start.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return start;
}

bool begins_like_tar(ByteView start) {
  return start.size() >= 262 && as_text(start).substr(257, 5) == "ustar";
}

// Whether a compressed file contains a tar.
bool holds_tar(const fs::path& path) {
  try {
    FileSource file(path);
    Decompressor inside([&](auto buffer) { return file.read(buffer); }, path.native(),
                        UnpackingLimit().of(file.size()));
    Bytes start(512);
    std::size_t have = 0;
    while (const std::size_t n = inside.read(std::span(start).subspan(have))) have += n;
    start.resize(have);
    return begins_like_tar(start);
  } catch (const Error&) {
    return false;  // the audit of the file itself then says what it is
  }
}

}  // namespace

std::unique_ptr<ImageStore> open_store(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return std::make_unique<FolderStore>(path);
  if (!fs::is_regular_file(path, error)) return nullptr;
  const Bytes start = start_of(path);
  const bool compressed = is_compressed(start);
  if (!begins_like_tar(start) && !(compressed && holds_tar(path))) return nullptr;
  return std::make_unique<ArchiveStore>(path, compressed);
}

}  // namespace whittle::imagegen
