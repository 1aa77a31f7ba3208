// SPDX-License-Identifier: MIT
//
// The transforms of machine code by their numbers, and what codec mix takes such code for.
#pragma once

#include <cstdint>

#include "packer/format.h"
#include "packer/stub/codecs/mix_context.h"

namespace whittle::packer {

// Makes the operands in code[0, size) absolute, by one of the transforms up to kTransformLastCode;
// `address` is that of the first byte, counted from the start of the image.
void to_absolute(std::uint32_t transform, std::uint8_t* code, std::uint64_t size,
                 std::uint64_t address);

// The kind of bytes that a stream with code of that transform is. 0 stands for no code.
stub::ModelKind model_of(std::uint32_t code_transform);

}  // namespace whittle::packer
