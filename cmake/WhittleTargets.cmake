# SPDX-License-Identifier: MIT
#
# One library a room, one test program a room. A room links only the rooms and libraries that
# ARCHITECTURE.md's table allows; tests/edges.py holds the includes to the same table.

add_library(whittle_options INTERFACE)
target_include_directories(whittle_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(whittle_options INTERFACE -Wall -Wextra -Wshadow -Wconversion)
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

# whittle_unit_test(ROOM SOURCES… LINK …): one GoogleTest program for a room, each test known to CTest.
function(whittle_unit_test room)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_executable(${room}_test ${ARG_SOURCES})
  target_link_libraries(${room}_test PRIVATE whittle_${room} ${ARG_LINK} GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${room}_test TEST_PREFIX "unit.${room}." DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS unit)
endfunction()
