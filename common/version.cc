// SPDX-License-Identifier: MIT
#include "common/version.h"

#include <openssl/crypto.h>

namespace whittle {

std::string openssl_version() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

}  // namespace whittle
