// SPDX-License-Identifier: MIT
#include "common/digest.h"

#include <openssl/evp.h>

#include "common/error.h"

namespace whittle {
namespace {

void require(int openssl_result) {
  if (openssl_result != 1)
    throw Error(ErrorKind::internal, "", "OpenSSL could not compute SHA-256");
}

}  // namespace

struct Sha256::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(md); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  require(context_->md != nullptr);
  require(EVP_DigestInit_ex(context_->md, EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;

void Sha256::update(ByteView bytes) {
  require(EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()));
}

Sha256Digest Sha256::finish() {
  Sha256Digest digest{};
  unsigned length = 0;
  require(EVP_DigestFinal_ex(context_->md, digest.data(), &length));
  require(length == digest.size());
  return digest;
}

Sha256Digest sha256(ByteView bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string to_hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace whittle
