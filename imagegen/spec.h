// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "imagegen/image.h"
#include "imagegen/rootfs.h"

namespace whittle::imagegen {

// Throws Error{usage} for the first thing in the spec that an image cannot hold or that no engine
// could start: malformed user, env, label and annotation names, a named user without an
// /etc/passwd, a time outside the years 1970 to 9999, text that is not UTF-8.
void check_spec(const ImageSpec& spec, const std::vector<RootEntry>& root);

// The rules for single values, for those who know where each was written. Each throws Error{usage}
// without a path.

// JSON holds Unicode, and the kernel's strings end at a NUL. `what` is for the message: "cmd".
void check_text(std::string_view what, std::string_view value);

// "USER" or "USER:GROUP". Numbers have at most 31 bits; a name needs the file of `root` that it is
// looked up in. Empty: the engine's default.
void check_user(std::string_view user, const std::vector<RootEntry>& root);

// Each NAME=VALUE with a name of its own.
void check_env(const std::vector<std::string>& env);

// Labels and annotations: names without blanks, each once. `what` is "label" or "annotation".
using Pairs = std::vector<std::pair<std::string, std::string>>;
void check_pairs(std::string_view what, const Pairs& pairs);

// "80", "80/tcp" and "53/udp" as the config spells them, sorted. Throws Error{usage}.
std::set<std::string> normalise_ports(const std::vector<std::string>& ports);

// What is well-formed and will still surprise: files that a run time hides, layers that not
// everyone reads. Whether a container can start is another question, see ship/image_contents.h.
std::vector<std::string> find_surprises(const ImageSpec& spec, const std::vector<RootEntry>& root);

}  // namespace whittle::imagegen
