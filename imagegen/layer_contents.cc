// SPDX-License-Identifier: MIT
//
// Two streams are hashed: the blob, whose digest a manifest names, and the tar in it, whose digest
// a config names. Both are hashed while the entries are read, so a layer is read once and never
// held in memory.
#include "imagegen/layer_contents.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/elf.h"
#include "imagegen/archive_reader.h"

namespace whittle::imagegen {
namespace {

constexpr std::uint64_t kMaxFile = std::uint64_t{1} << 30;
constexpr std::uint64_t kMaxKept = 1 << 20;
constexpr std::uint64_t kScriptStart = 256;  // Linux: BINPRM_BUF_SIZE
constexpr std::uint64_t kMaxBlob = std::uint64_t{64} << 30;
constexpr std::size_t kMaxEntries = 2'000'000;
constexpr std::size_t kLongestPath = 4095;  // Linux: PATH_MAX without its NUL
constexpr std::string_view kWhiteout = ".wh.", kOpaque = ".wh..wh..opq";

// "./usr//bin/app" → "/usr/bin/app"; nothing for what leads out of the root.
std::optional<std::string> normalise(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (out.empty()) return std::nullopt;
      out.erase(out.rfind('/'));
      continue;
    }
    out += '/';
    out += part;
  }
  return out.empty() ? "/" : out;
}

TreeEntry::Type type_of(ArchiveEntry::Type type) {
  switch (type) {
    case ArchiveEntry::Type::file:
      return TreeEntry::Type::file;
    case ArchiveEntry::Type::folder:
      return TreeEntry::Type::folder;
    case ArchiveEntry::Type::symlink:
      return TreeEntry::Type::symlink;
    default:
      return TreeEntry::Type::other;
  }
}

class TarWalk {
 public:
  // `limit` is that of the tar's bytes.
  TarWalk(ArchiveReader& reader, std::uint64_t limit, const std::string& name,
          const LayerVisitor& visitor, LayerContents& out)
      : reader_(reader),
        limit_(limit),
        name_(name),
        visitor_(visitor),
        out_(out),
        holes_left_(limit) {}

  void run() {
    while (const auto entry = reader_.next()) {
      // Skipping an entry means unpacking it. Holes of a sparse file are not in the archive.
      if (!entry->is_sparse && entry->size > limit_ - std::min(limit_, entry->position)) {
        throw Error(ErrorKind::refused, name_,
                    fmt::format("has an entry of {} bytes, which is more than is looked at of a "
                                "layer of its size",
                                entry->size));
      }
      if (out_.entries.size() + out_.problems.size() >= kMaxEntries) {
        throw Error(ErrorKind::refused, name_,
                    fmt::format("has more than {} entries", kMaxEntries));
      }
      add(*entry);
    }
  }

 private:
  void problem(const std::string& path, std::string_view what) {
    out_.problems.emplace_back(path, Error(ErrorKind::corrupt, "", what));
  }

  void add(const ArchiveEntry& entry) {
    if (entry.path.size() > kLongestPath || entry.target.size() > kLongestPath) {
      problem(entry.path.substr(0, 80) + "…", "has a longer name than Linux takes");
      return;
    }
    const auto path = normalise(entry.path);
    if (!path) {
      problem(entry.path, "leads out of the root");
      return;
    }
    LayerEntry added{.path = *path, .entry = {}, .target = {}};
    const std::size_t slash = path->rfind('/');
    const std::string_view base = std::string_view(*path).substr(slash + 1);
    if (base.starts_with(kWhiteout)) {
      const std::string folder = slash == 0 ? "/" : path->substr(0, slash);
      if (base == kOpaque) {
        added.kind = LayerEntry::Kind::opaque;
        added.path = folder;
      } else if (base.starts_with(".wh..wh.")) {
        return;  // a union file system's own bookkeeping
      } else {
        added.kind = LayerEntry::Kind::whiteout;
        added.path = path->substr(0, slash + 1) + std::string(base.substr(kWhiteout.size()));
        if (base.size() == kWhiteout.size()) return;
      }
    } else if (entry.type == ArchiveEntry::Type::hard_link) {
      const auto target = normalise(entry.target);
      if (!target) {
        problem(entry.path, "is a hard link that leads out of the root");
        return;
      }
      added.kind = LayerEntry::Kind::hard_link;
      added.target = *target;
    } else {
      added.entry = {.type = type_of(entry.type),
                     .mode = entry.mode,
                     .owner = entry.owner,
                     .group = entry.group,
                     .size = entry.size,
                     .target = entry.target};
    }
    out_.entries.push_back(std::move(added));
    if (out_.entries.back().entry.is_file()) look_into(out_.entries.back(), entry.is_sparse);
  }

  void look_into(LayerEntry& file, bool is_sparse) {
    reader_.read_up_to(4, file.start);
    if (elf::has_magic(file.start)) {
      take(file, is_sparse);
    } else if (visitor_.keeps(file.path) && file.entry.size <= kMaxKept) {
      reader_.read_up_to(kMaxKept, file.start);
    } else if ((file.entry.mode & 0111) == 0) {
      file.start = {};
    } else if (as_text(file.start).starts_with("#!")) {
      reader_.read_up_to(kScriptStart, file.start);
    }
    file.start.shrink_to_fit();
  }

  void take(LayerEntry& file, bool is_sparse) {
    const std::uint64_t most = is_sparse ? std::min(kMaxFile, holes_left_) : kMaxFile;
    if (file.entry.size > most) {
      file.problem = std::make_shared<const Error>(
          ErrorKind::refused, "",
          fmt::format("has {} bytes, more than the {} that are looked at of {} "
                      "program in an image",
                      file.entry.size, most, is_sparse ? "this sparse" : "a"));
      return;
    }
    if (is_sparse) holes_left_ -= file.entry.size;
    Bytes content = file.start;
    content.reserve(file.entry.size);
    reader_.read_up_to(kMaxFile, content);
    try {
      file.object = std::make_shared<const LinkedObject>(
          describe_object(elf::File::parse(content, file.path)));
    } catch (const Error&) {  // the visitor, which takes the content, reports it
    }
    visitor_.take(out_.entries.size() - 1, file, std::move(content));
  }

  ArchiveReader& reader_;
  std::uint64_t limit_;
  const std::string& name_;
  const LayerVisitor& visitor_;
  LayerContents& out_;
  std::uint64_t holes_left_;  // bytes that sparse programs may still have
};

}  // namespace

LayerContents LayerReader::read(const ByteSource& blob, std::uint64_t size, const std::string& name,
                                const LayerVisitor& visitor) {
  LayerContents out;
  if (size > kMaxBlob) {
    out.size = size;
    out.error = Error(
        ErrorKind::refused, name,
        fmt::format("has {} bytes, more than the {} that are read of a layer", size, kMaxBlob));
    return out;
  }
  HashedSource raw(blob);
  std::uint64_t unpacked = 0;
  const std::uint64_t by_size = limit_.by_size(size);
  const std::uint64_t limit = by_size + std::min(limit_.free, allowance_);
  try {
    Decompressor decompressor([&](auto buffer) { return raw.read(buffer); }, name, limit);
    HashedSource tar([&](auto buffer) { return decompressor.read(buffer); });
    try {
      ArchiveReader reader([&](auto buffer) { return tar.read(buffer); }, name);
      TarWalk(reader, limit, name, visitor, out).run();
      out.diff_id = tar.finish();
    } catch (...) {
      unpacked = tar.size();
      throw;
    }
    unpacked = tar.size();
  } catch (const Error& error) {
    out.error = error;
  }
  allowance_ -= std::min(allowance_, unpacked - std::min(unpacked, by_size));
  try {
    out.digest = raw.finish();
  } catch (const Error& error) {
    if (!out.error) out.error = error;
  }
  out.size = raw.size();
  return out;
}

}  // namespace whittle::imagegen
