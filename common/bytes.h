// SPDX-License-Identifier: MIT
//
// Bounds-checked access to untrusted bytes. Every number that comes out of a file goes through
// `ByteReader`, so that "offset + length" can neither overflow nor run past the end: the check is
// `offset <= size && length <= size - offset`, in 64 bits, in one place.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace whittle {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

enum class ByteOrder { little, big };

// True when [offset, offset + length) lies within `size` bytes. Cannot overflow.
constexpr bool in_bounds(std::uint64_t offset, std::uint64_t length, std::uint64_t size) {
  return offset <= size && length <= size - offset;
}

// `value` rounded up to a multiple of `alignment` (a power of two). The caller makes sure that the
// result fits.
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) & ~(alignment - 1);
}
constexpr std::uint64_t align_down(std::uint64_t value, std::uint64_t alignment) {
  return value & ~(alignment - 1);
}

// Reads fixed-width integers of one byte order out of a file that is held in memory. `what` in each
// call names the thing being read and appears in the error. Throws Error{malformed} with the path
// and the offset when the bytes are not there.
class ByteReader {
 public:
  ByteReader(ByteView bytes, ByteOrder order, std::string_view path)
      : bytes_(bytes), order_(order), path_(path) {}

  ByteView bytes() const { return bytes_; }
  ByteOrder order() const { return order_; }
  std::uint64_t size() const { return bytes_.size(); }

  ByteView slice(std::uint64_t offset, std::uint64_t length, std::string_view what) const;
  std::uint8_t u8(std::uint64_t offset, std::string_view what) const {
    return read<std::uint8_t>(offset, what);
  }
  std::uint16_t u16(std::uint64_t offset, std::string_view what) const {
    return read<std::uint16_t>(offset, what);
  }
  std::uint32_t u32(std::uint64_t offset, std::string_view what) const {
    return read<std::uint32_t>(offset, what);
  }
  std::uint64_t u64(std::uint64_t offset, std::string_view what) const {
    return read<std::uint64_t>(offset, what);
  }
  // The NUL-terminated string at `offset`; the terminator must stand before the end of the file.
  std::string_view c_string(std::uint64_t offset, std::string_view what) const;

 private:
  template <typename T>
  T read(std::uint64_t offset, std::string_view what) const {
    const ByteView from = slice(offset, sizeof(T), what);
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); i++) {
      const std::size_t at = order_ == ByteOrder::little ? sizeof(T) - 1 - i : i;
      value = static_cast<T>(static_cast<std::uint64_t>(value) << 8 | from[at]);
    }
    return value;
  }

  ByteView bytes_;
  ByteOrder order_;
  std::string_view path_;
};

}  // namespace whittle
