// SPDX-License-Identifier: MIT
#include "config/clashes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "common/error.h"
#include "common/text.h"
#include "config/step_order.h"

namespace whittle::config {
namespace {

using Use = HostPath::Use;

// One path of one step, resolved. What is listed again in the same step is the same access.
struct Access {
  const HostPath* path;
  std::size_t step;
  std::size_t first, last;  // which of the step's paths
  std::string target, source;

  bool is_artifact() const { return path->use == Use::artifact; }
  bool is_in_place() const { return is_artifact() && source == target; }
};

class Clashes {
 public:
  Clashes(std::string_view file, const std::vector<Step>& steps, const Resolver& resolve)
      : file_(file), steps_(steps), order_(steps) {
    const auto resolved = [&](const std::string& path) {
      return path.empty() || !resolve ? path : resolve(path);
    };
    for (std::size_t step = 0; step < steps.size(); step++) {
      const std::vector<HostPath>& paths = steps[step].paths;
      for (std::size_t i = 0; i < paths.size(); i++) {
        Access access{.path = &paths[i],
                      .step = step,
                      .first = i,
                      .last = i,
                      .target = resolved(paths[i].path),
                      .source = resolved(paths[i].source)};
        switch (access.path->use) {
          case Use::dir:
          case Use::system:
            break;
          case Use::binary:
            binaries_.emplace(access.target, access);
            [[fallthrough]];
          case Use::added:
            access.source = access.target;
            reads_.push_back(std::move(access));
            break;
          case Use::artifact:
            if (!access.source.empty()) reads_.push_back(access);
            add_write(std::move(access));
            break;
          case Use::executable:
          case Use::layout:
          case Use::archive:
            add_write(std::move(access));
            break;
        }
      }
    }
  }

  void refuse() const {
    for (const auto& entry : writes_) {
      const std::vector<Access>& writes = entry.second;
      for (const Access& write : writes) {
        if (!may_share(writes.front(), write)) fail_same(writes.front(), write);
      }
      each_folder_of(entry.first, [&](const std::string& folder) {
        if (const auto binary = binaries_.find(folder); binary != binaries_.end()) {
          fail_inside(binary->second, writes.front());
        }
        const auto outers = writes_.find(folder);
        if (outers == writes_.end()) return;
        for (const Access& outer : outers->second) {
          for (const Access& inner : writes) {
            if (!may_hold(outer, inner)) fail_inside(outer, inner);
          }
        }
      });
    }
    for (const Access& read : reads_) {
      const auto check = [&](const std::string& target) {
        const auto writes = writes_.find(target);
        if (writes == writes_.end()) return;
        for (const Access& write : writes->second) {
          if (!may_read(read, write)) fail_read(read, write);
        }
      };
      check(read.source);
      each_folder_of(read.source, check);
      if (read.path->use == Use::added) refuse_writes_in(read);
    }
  }

 private:
  // Steps come one after the other.
  void add_write(Access access) {
    std::vector<Access>& writes = writes_[access.target];
    if (!writes.empty() && writes.back().step == access.step && access.is_artifact() &&
        may_share(writes.back(), access)) {
      writes.back().last = access.last;
      return;
    }
    writes.push_back(std::move(access));
  }

  // An added folder is read with all that is in it.
  void refuse_writes_in(const Access& read) const {
    const bool is_all = read.source == ".";
    const std::string folder = read.source + "/";
    for (auto at = is_all ? writes_.begin() : writes_.lower_bound(folder);
         at != writes_.end() && (is_all || at->first.starts_with(folder)); at++) {
      for (const Access& write : at->second) {
        if (!may_read(read, write)) fail_read(read, write);
      }
    }
  }

  // The folders that the path is in, from the nearest on.
  template <typename Action>
  static void each_folder_of(const std::string& path, Action action) {
    for (std::size_t end = path.rfind('/'); end != path.npos && end > 0;
         end = path.rfind('/', end - 1)) {
      action(path.substr(0, end));
    }
  }

  bool is_after(const Access& a, const Access& b) const {
    return a.step == b.step ? a.first > b.last : order_.is_after(a.step, b.step);
  }

  static bool may_share(const Access& a, const Access& b) {
    if (&a == &b) return true;
    if (a.path->use == Use::layout && b.path->use == Use::layout) return true;
    return a.is_artifact() && b.is_artifact() && !a.source.empty() && a.source == b.source;
  }

  bool may_hold(const Access& outer, const Access& inner) const {
    if (!outer.is_artifact()) return false;  // a file, or a layout, which is no place for more
    // What lies in its place was there before anything is copied.
    const bool same_step = outer.step == inner.step;
    if (outer.is_in_place() && (inner.is_in_place() || same_step)) return true;
    if (inner.is_in_place() && same_step) return false;
    return is_after(inner, outer);
  }

  bool may_read(const Access& read, const Access& write) const {
    if (write.is_in_place() || read.path == write.path) return true;
    return is_after(read, write);
  }

  // The later one in the file is the mistake.
  [[noreturn]] void fail(const Access& a, const Access& b, std::string_view a_does,
                         std::string_view advice) const {
    const Position there = b.path->position;
    throw Error(ErrorKind::usage, place(file_, a.path->position),
                fmt::format("`{}` {} `{}` ({}:{}); {}", printable(a.path->key), a_does,
                            printable(b.path->key), there.line, there.column, advice));
  }

  [[noreturn]] void fail_same(Access a, Access b) const {
    if (position(a) < position(b)) std::swap(a, b);
    const bool both_named = a.is_artifact() && b.is_artifact();
    fail(a, b, fmt::format("would write `{}`, as does", printable(a.path->path)),
         both_named ? "name another folder for one of them" : "name another path for one of them");
  }

  [[noreturn]] void fail_inside(const Access& outer, const Access& inner) const {
    const std::string does = fmt::format("would write `{}` into `{}`, which is {} by",
                                         printable(inner.path->path), printable(outer.path->path),
                                         outer.path->use == Use::binary ? "read" : "written");
    if (!outer.is_artifact()) fail(inner, outer, does, "name another path for one of them");
    fail(inner, outer, does,
         outer.step == inner.step
             ? std::string(inner.is_in_place() ? "name another folder for one of them"
                                               : "list it after that one")
             : fmt::format("name another folder, or let step `{}` depend on `{}`",
                           printable(label(inner)), printable(label(outer))));
  }

  [[noreturn]] void fail_read(const Access& read, const Access& write) const {
    const std::string does =
        fmt::format("would write `{}`, which is read by", printable(write.path->path));
    if (read.step == write.step || order_.is_after(write.step, read.step)) {
      fail(write, read, does, "name another path for one of them");
    }
    fail(write, read, does,
         fmt::format("name another path, or let step `{}` depend on `{}`", printable(label(read)),
                     printable(label(write))));
  }

  static std::tuple<int, int> position(const Access& access) {
    return {access.path->position.line, access.path->position.column};
  }
  const std::string& label(const Access& access) const { return steps_[access.step].label; }

  const std::string_view file_;
  const std::vector<Step>& steps_;
  const StepOrder order_;
  std::map<std::string, std::vector<Access>> writes_;  // by target
  std::vector<Access> reads_;
  std::map<std::string, Access> binaries_;  // of the reads: these are files for sure
};

}  // namespace

void refuse_clashes(std::string_view path, const std::vector<Step>& steps,
                    const Resolver& resolve) {
  Clashes(path, steps, resolve).refuse();
}

}  // namespace whittle::config
