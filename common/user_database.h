// SPDX-License-Identifier: MIT
//
// Who runs a container: the user that a config names, looked up in the image's /etc/passwd and
// /etc/group as engines do it (moby/sys/user, GetExecUser, which runc, containerd and docker share;
// podman follows it). Source: passwd(5), group(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace whittle {

struct Identity {
  std::uint32_t user = 0, group = 0;
  std::vector<std::uint32_t> groups;  // supplementary ones
  // Why no engine starts a container as this user: "has no line for the user `app` …". The numbers
  // above are valid only if this is empty.
  std::string problem = {};
};

// `user` is that of a RunConfig. `passwd` and `group` are the contents of the files, if the image
// has them. A name must be in its file; a number need not be.
Identity find_identity(std::string_view user, std::optional<std::string_view> passwd,
                       std::optional<std::string_view> group);

}  // namespace whittle
