// SPDX-License-Identifier: MIT
//
// One thread finds files, others look into them. Every file gets its place in the list when it is
// found, so that the result does not depend on who is done first.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "analyzer/analyzer.h"
#include "analyzer/libraries.h"
#include "common/digest.h"
#include "common/elf.h"
#include "common/file.h"
#include "common/file_descriptor.h"
#include "common/file_tree.h"
#include "common/mapped_file.h"
#include "common/threads.h"

namespace whittle::analyzer {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxWaitingBytes = std::uint64_t{256} << 20;
constexpr std::size_t kMaxWaitingFiles = 10'000;
constexpr std::uint64_t kMaxUnpacking = std::uint64_t{768} << 20;  // bytes

struct Job {
  std::size_t place = 0;
  std::string path;
  std::optional<Bytes> content;  // else it is read from `path`
  mode_t mode = 0;               // of the content
  bool named = false;            // by the caller, so reported whatever it is
};

bool begins_like_elf(const fs::path& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) throw io_error(path.native(), "cannot open", errno);
  std::uint8_t start[4] = {};
  const ssize_t n = ::pread(file.get(), start, sizeof start, 0);
  if (n < 0) throw io_error(path.native(), "cannot read", errno);
  return elf::has_magic(ByteView(start, static_cast<std::size_t>(n)));
}

// The path inside the root, where it lies there; else the path on this machine.
std::string path_in_root(const fs::path& root, const fs::path& path) {
  std::error_code error;
  const fs::path whole = fs::weakly_canonical(path, error);
  const fs::path inside = whole.lexically_relative(root);
  const bool is_inside = !inside.empty() && *inside.begin() != "..";
  return is_inside ? "/" + inside.native() : whole.native();
}

bool may_be_executed(mode_t mode) { return (mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0; }

// What `objcopy --only-keep-debug` makes: the headers of a program, whose code has no bytes here.
// Only tools go by section headers, so this says nothing of a file that may be executed.
bool is_debug_companion(ByteView bytes, const std::string& path) {
  constexpr std::uint64_t kSectionFlagExecute = 4;
  try {
    const elf::File file = elf::File::parse(bytes, path);
    return std::any_of(file.sections().begin(), file.sections().end(), [](const elf::Section& s) {
      return s.type == elf::kSectionNoBits && (s.flags & kSectionFlagExecute) != 0;
    });
  } catch (const Error&) {
    return false;
  }
}

bool is_passed_over(Kind kind, mode_t mode) {
  switch (kind) {
    case Kind::static_executable:
    case Kind::static_pie:
    case Kind::dynamic_executable:
    case Kind::other_system:
    case Kind::packed:
      return false;
    case Kind::shared_object:
      return !may_be_executed(mode);
    case Kind::relocatable:
    case Kind::core:
    case Kind::script:
    case Kind::not_elf:
      break;
  }
  return true;
}

// Shares out a number of bytes among threads.
class Budget {
 public:
  explicit Budget(std::uint64_t size) : left_(size) {}

  class Share {
   public:
    Share(Budget& budget, std::uint64_t size) : budget_(budget), size_(size) {
      std::unique_lock lock(budget_.mutex_);
      budget_.changed_.wait(lock, [&] { return size_ <= budget_.left_; });
      budget_.left_ -= size_;
    }
    ~Share() {
      const std::lock_guard lock(budget_.mutex_);
      budget_.left_ += size_;
      budget_.changed_.notify_all();
    }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    Budget& budget_;
    std::uint64_t size_;  // at most the whole budget
  };

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t left_;
};

void mark_too_large(const PackedProgram& packed, BinaryReport& report) {
  report.packing = packed.packing;
  report.packing->hidden = true;
  if (!is_static(report.kind)) return;
  report.kind = Kind::packed;
  report.reasons = {{"packed/too-large",
                     "is packed by " + packed.packing.packer +
                         ", and takes more memory to unpack than an audit allows for a file; audit "
                         "what unpacking gives"}};
}

}  // namespace

AuditedFile failed_file(std::string path, const Error& error) {
  AuditedFile file;
  file.path = std::move(path);
  file.error = error.message();
  if (error.offset()) file.error += " (at offset " + std::to_string(*error.offset()) + ")";
  file.error_exit_code = exit_code(error.kind());
  return file;
}

class Auditor::Impl {
 public:
  explicit Impl(const AuditOptions& options) : options_(options) {
    if (!options.root.empty()) {
      root_.emplace(options.root);
      finder_.emplace(*root_);
    }
    const unsigned count = options.jobs != 0 ? options.jobs : processor_count();
    try {
      while (workers_.size() < std::min(count, 64U)) workers_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {  // no more threads; without any, who waits does the work
    }
  }
  ~Impl() { stop(); }

  void add_path(const fs::path& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
      add_folder(path);
    } else {
      add({.path = path.native(), .content = {}, .named = true});
    }
  }

  void add(Job job) {
    std::unique_lock lock(mutex_);
    const std::uint64_t size = job.content ? job.content->size() : 0;
    while (jobs_.size() >= kMaxWaitingFiles ||
           (waiting_bytes_ != 0 && waiting_bytes_ + size > kMaxWaitingBytes)) {
      wait(lock);
    }
    waiting_bytes_ += size;
    job.place = results_.size();
    results_.emplace_back();
    jobs_.push_back(std::move(job));
    changed_.notify_all();
  }

  void add_error(std::string path, const Error& error) {
    const std::lock_guard lock(mutex_);
    results_.push_back(failed_file(std::move(path), error));
    done_++;
  }

  std::vector<AuditedFile> finish() {
    {
      std::unique_lock lock(mutex_);
      while (done_ < results_.size()) wait(lock);
    }
    stop();
    std::vector<AuditedFile> files;
    for (std::optional<AuditedFile>& result : results_) {
      if (result) files.push_back(std::move(*result));
    }
    return files;
  }

 private:
  void wait(std::unique_lock<std::mutex>& lock) {
    constexpr std::chrono::milliseconds kTick{100};
    if (workers_.empty() && !jobs_.empty()) {
      do_next(lock);
    } else {
      changed_.wait_for(lock, kTick);
    }
    if (!options_.progress) return;
    const std::uint64_t done = done_, found = results_.size();
    lock.unlock();
    options_.progress(done, found);
    lock.lock();
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      changed_.notify_all();
    }
    for (std::thread& worker : workers_) {
      if (worker.joinable()) worker.join();
    }
  }

  void add_folder(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> entries;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      entries.push_back(it->path());
    }
    if (error) {
      add_error(folder.native(),
                io_error(folder.native(), "cannot read the folder", error.value()));
    }
    std::sort(entries.begin(), entries.end());
    for (const fs::path& entry : entries) {
      struct stat status {};
      if (::lstat(entry.c_str(), &status) != 0) {
        add_error(entry.native(), io_error(entry.native(), "cannot stat", errno));
      } else if (S_ISDIR(status.st_mode)) {
        add_folder(entry);
      } else if (S_ISREG(status.st_mode)) {
        add({.path = entry.native(), .content = {}});
      }
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      while (jobs_.empty() && !stopping_) changed_.wait(lock);
      if (stopping_) return;
      do_next(lock);
    }
  }

  void do_next(std::unique_lock<std::mutex>& lock) {
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    const std::uint64_t size = job.content ? job.content->size() : 0;
    std::optional<AuditedFile> result = audit_one(job);
    job.content.reset();
    lock.lock();
    results_[job.place] = std::move(result);
    waiting_bytes_ -= size;
    done_++;
    changed_.notify_all();
  }

  // Nothing for what is passed over.
  std::optional<BinaryReport> report_of(const Job& job, ByteView bytes, mode_t mode) {
    if (!job.named && !may_be_executed(mode) && is_debug_companion(bytes, job.path)) {
      return std::nullopt;
    }
    BinaryReport report = inspect_packed_or_not(bytes, job.path);
    if (!job.named && is_passed_over(report.kind, mode)) return std::nullopt;
    if (root_ && !job.content && report.kind == Kind::dynamic_executable) {
      const LinkedObject program = describe_object(elf::File::parse(bytes, job.path));
      const std::lock_guard lock(finder_mutex_);
      report.linkage.libraries = finder_->find(program, path_in_root(root_->root(), job.path));
    }
    return report;
  }

  std::optional<AuditedFile> audit_one(const Job& job) {
    try {
      // Most files of a folder are no executables; four bytes tell, without reading the rest.
      if (!job.named && !job.content && !begins_like_elf(job.path)) return std::nullopt;
      std::optional<BinaryReport> report;
      if (job.content) {
        report = report_of(job, *job.content, job.mode);
      } else if (options_.contents) {
        const LoadedFile loaded = read_file(job.path);
        report = report_of(job, loaded.bytes, loaded.status.mode);
      } else {
        with_mapped_file(job.path, [&](ByteView bytes, const FileStatus& status) {
          report = report_of(job, bytes, status.mode);
        });
      }
      if (!report) return std::nullopt;
      AuditedFile file;
      file.path = job.path;
      file.report = std::move(*report);
      return file;
    } catch (const Error& error) {
      return failed_file(job.path, error);
    } catch (const std::exception& error) {  // no memory for it, most likely
      return failed_file(job.path, Error(ErrorKind::internal, job.path, error.what()));
    }
  }

  BinaryReport inspect_packed_or_not(ByteView bytes, const std::string& path) {
    const InspectOptions inspect_options{
        .symbols = false, .digests = options_.digests, .contents = options_.contents};
    // A verdict needs no look inside: what whittle packs is static.
    if (!options_.find_packed || !options_.contents || !elf::has_magic(bytes))
      return inspect(bytes, path, inspect_options);
    const auto packed = options_.find_packed(bytes, path);
    if (!packed) return inspect(bytes, path, inspect_options);
    if (packed->memory > kMaxUnpacking) {
      BinaryReport report = inspect(bytes, path, inspect_options);
      mark_too_large(*packed, report);
      return report;
    }
    const Budget::Share share(unpacking_, packed->memory);
    BinaryReport report = inspect(packed->unpack(), path, {.symbols = false});
    const bool hidden = report.packing.has_value();  // by another packer, further inside
    report.packing = packed->packing;
    report.packing->hidden = hidden;
    report.size = bytes.size();
    if (options_.digests) report.sha256 = to_hex(sha256(bytes));
    for (Need& need : report.needs) {
      for (Evidence& evidence : need.evidence) evidence.offset.reset();  // it is none of the file
    }
    return report;
  }

  AuditOptions options_;
  std::optional<FolderTree> root_;
  std::optional<LibraryFinder> finder_;
  Budget unpacking_{kMaxUnpacking};
  std::mutex finder_mutex_;
  std::mutex mutex_;  // of all that follows
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::deque<std::optional<AuditedFile>> results_;
  std::uint64_t done_ = 0, waiting_bytes_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

Auditor::Auditor(const AuditOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Auditor::~Auditor() = default;
void Auditor::add_path(const fs::path& path) { impl_->add_path(path); }
void Auditor::add_content(std::string name, mode_t mode, Bytes content) {
  impl_->add({.path = std::move(name), .content = std::move(content), .mode = mode});
}
void Auditor::add_error(std::string name, const Error& error) {
  impl_->add_error(std::move(name), error);
}
std::vector<AuditedFile> Auditor::finish() { return impl_->finish(); }

std::vector<AuditedFile> audit(const std::vector<fs::path>& paths, const AuditOptions& options) {
  Auditor auditor(options);
  for (const fs::path& path : paths) auditor.add_path(path);
  return auditor.finish();
}

}  // namespace whittle::analyzer
