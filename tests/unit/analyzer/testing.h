// SPDX-License-Identifier: MIT
//
// What the tests of this folder speak of all the time: made and compiled programs, damage to them,
// and GoogleMock's words for what is expected.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/analyzer/programs.h"
#include "tests/unit/common/elf_builder.h"
#include "tests/unit/common/mutate.h"

namespace whittle::analyzer {

using test::build;
using test::ElfImage;
using test::ElfSpec;
using test::expect_error;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

}  // namespace whittle::analyzer
