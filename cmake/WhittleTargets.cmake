# SPDX-License-Identifier: MIT
#
# One library a room, one test program a room. A room links only the rooms and libraries that
# rooms.toml allows; tests/edges.py holds both to it.

add_library(whittle_options INTERFACE)
target_include_directories(whittle_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(whittle_options INTERFACE -Wall -Wextra -Wshadow -Wconversion)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC bug 105329: false alarms inside std::string's own operators.
  target_compile_options(whittle_options INTERFACE -Wno-restrict)
endif()
if(WHITTLE_WERROR)
  target_compile_options(whittle_options INTERFACE -Werror)
endif()
if(WHITTLE_SANITIZE)
  target_compile_options(whittle_options INTERFACE -fsanitize=address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(whittle_options INTERFACE -fsanitize=address,undefined)
endif()
if(WHITTLE_FUZZ)
  target_compile_options(whittle_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(whittle_options INTERFACE -fsanitize=address,undefined)
endif()

# whittle_room(NAME SOURCES… DEPENDS public… PRIVATE private…)
function(whittle_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  add_library(whittle_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(whittle_${name} PUBLIC whittle_options ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE})
endfunction()

# Everything that `ctest -L unit` and `ctest -L fuzz` run.
add_custom_target(unit_tests)
add_custom_target(fuzz_targets)

# whittle_unit_test(ROOM [OPTIMISED] SOURCES… LINK …): one GoogleTest program for a room, each test known to
# CTest. Without optimisation a test compiles in half the time, and a third of the rest is reading gmock, which is
# compiled once a room. OPTIMISED is for rooms whose inline functions do much work: the linker may take the test's
# copies of them.
function(whittle_unit_test room)
  cmake_parse_arguments(ARG "OPTIMISED" "" "SOURCES;LINK" ${ARGN})
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${room}_test ${ARG_SOURCES})
  target_link_libraries(${room}_test PRIVATE whittle_${room} ${ARG_LINK} GTest::gmock GTest::gtest_main)
  target_precompile_headers(${room}_test PRIVATE <gmock/gmock.h>)
  if(NOT ARG_OPTIMISED)
    target_compile_options(${room}_test PRIVATE -O0)
  endif()
  add_dependencies(unit_tests ${room}_test)
  gtest_discover_tests(${room}_test TEST_PREFIX "unit.${room}." NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS unit)
endfunction()

# whittle_fuzz_target(ROOM/NAME LINK …): the libFuzzer program of ROOM/fuzz_NAME.cc, which CTest runs for twenty
# seconds from the committed inputs in corpus/NAME.
function(whittle_fuzz_target path)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  get_filename_component(name "${path}" NAME)
  get_filename_component(room "${path}" DIRECTORY)
  add_executable(fuzz_${name} ${room}/fuzz_${name}.cc)
  target_link_libraries(fuzz_${name} PRIVATE whittle_options ${ARG_LINK})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_targets fuzz_${name})
  set(found "${CMAKE_CURRENT_BINARY_DIR}/found/${name}")
  file(MAKE_DIRECTORY "${found}")
  set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}")
  if(NOT EXISTS "${corpus}")
    set(corpus "")
  endif()
  add_test(NAME fuzz.${name} COMMAND fuzz_${name} -max_total_time=20 -timeout=10 -rss_limit_mb=2048
           -artifact_prefix=${found}/ "${found}" ${corpus})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 120)
endfunction()
