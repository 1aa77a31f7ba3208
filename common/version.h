// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace whittle {

// The OpenSSL in use ("3.0.17").
std::string openssl_version();

}  // namespace whittle
