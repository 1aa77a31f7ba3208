// SPDX-License-Identifier: MIT
#pragma once

#include <set>
#include <string>
#include <vector>

#include "imagegen/image.h"
#include "imagegen/rootfs.h"

namespace whittle::imagegen {

// Throws Error{usage} for the first thing in the spec that an image cannot hold or that no engine
// could start: malformed user, env, label and annotation names, a named user without an
// /etc/passwd, a time outside the years 1970 to 9999, text that is not UTF-8.
void check_spec(const ImageSpec& spec, const std::vector<RootEntry>& root);

// "80", "80/tcp" and "53/udp" as the config spells them, sorted. Throws Error{usage}.
std::set<std::string> normalise_ports(const std::vector<std::string>& ports);

// What is well-formed and will still surprise: files that a run time hides, layers that not
// everyone reads. Whether a container can start is another question, see flow/image_contents.h.
std::vector<std::string> find_surprises(const ImageSpec& spec, const std::vector<RootEntry>& root);

}  // namespace whittle::imagegen
